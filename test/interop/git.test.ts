import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { needs, program } from '../support/programs.ts'
import { startServer } from '../support/proxies.ts'
import { succeed } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary.ts'
import { startWeb } from '../support/web.ts'

const identity = { NAME: 'Alice', EMAIL: 'alice@example.com' }
const env = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  ...Object.fromEntries(
    Object.entries(identity).flatMap(([name, value]) => [
      [`GIT_AUTHOR_${name}`, value],
      [`GIT_COMMITTER_${name}`, value]
    ])
  )
}

const git = (cwd: string, ...args: string[]): Promise<string> => succeed('git', args, { cwd, env })

/** git's own CGI program, for the repositories in a folder. */
const gitHttpBackend =
  (folder: string): RequestListener =>
  (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://host')
    const cgi = {
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      REMOTE_USER: 'alice',
      REQUEST_METHOD: request.method,
      PATH_INFO: pathname,
      QUERY_STRING: searchParams.toString(),
      CONTENT_TYPE: request.headers['content-type'],
      HTTP_CONTENT_ENCODING: request.headers['content-encoding']
    }
    const backend = spawn(program('git'), ['http-backend'], { env: { ...process.env, ...env, ...cgi }, stdio: 'pipe' })
    request.pipe(backend.stdin)
    let head = Buffer.alloc(0)
    backend.stdout.on('data', function readHead(chunk: Buffer) {
      head = Buffer.concat([head, chunk])
      const end = head.indexOf('\r\n\r\n')
      if (end < 0) return
      for (const line of head.toString('latin1', 0, end).split('\r\n')) {
        const [name = '', value = ''] = line.split(': ')
        if (name === 'Status') response.statusCode = Number.parseInt(value, 10)
        else response.setHeader(name, value)
      }
      response.write(head.subarray(end + 4))
      backend.stdout.off('data', readHead).pipe(response)
    })
  }

describe('git over HTTP through our server', () => {
  needs('git')

  it('clones what is there and pushes back', async () => {
    const folder = await temporaryFolder()
    const origin = join(folder, 'project.git')
    await git(folder, 'init', '--quiet', '--bare', '--initial-branch', 'main', origin)
    const first = join(folder, 'first')
    await git(folder, 'clone', '--quiet', origin, first)
    const photo = randomBytes(3_000_000)
    await writeFile(join(first, 'photo'), photo)
    await git(first, 'add', '.')
    await git(first, 'commit', '--quiet', '--message', 'A photo')
    await git(first, 'push', '--quiet', 'origin', 'HEAD:main')

    const [{ server, proxy }, web] = await Promise.all([startServer(), startWeb(gitHttpBackend(folder))])
    const hosts = new Set<string>()
    server.on('established', ({ request }) => hosts.add(request!.destination.host))
    const url = `${web.replace('127.0.0.1', 'localhost')}/project.git`
    const second = join(folder, 'second')
    const proxied = ['-c', `http.proxy=socks5h://${proxy}`]
    await git(folder, ...proxied, 'clone', '--quiet', url, second)
    expect((await readFile(join(second, 'photo'))).equals(photo)).toBe(true)

    await mkdir(join(second, 'notes'))
    await writeFile(join(second, 'notes', 'today'), 'pushed through a proxy')
    await git(second, 'add', '.')
    await git(second, 'commit', '--quiet', '--message', 'A note')
    await git(second, ...proxied, 'push', '--quiet', 'origin', 'HEAD:main')
    expect(await git(origin, 'show', 'main:notes/today')).toBe('pushed through a proxy')
    expect([...hosts]).toEqual(['localhost'])
  })
})
