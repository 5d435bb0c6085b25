import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { createConnection, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Endpoint } from '@it-socks/net'
import { runCli, serveCli } from '../../../test/support/cli.ts'
import { temporaryFile, temporaryFolder } from '../../../test/support/temporary.ts'
import { listenFailure } from '../src/serve/listen-failure.ts'

/** What Node says where it cannot listen. */
const listenError = (code: string, address?: string, port?: number): NodeJS.ErrnoException =>
  Object.assign(new Error(`listen ${code}`), {
    code,
    syscall: 'listen',
    ...(address && { address }),
    ...(port && { port })
  })

const why = async (endpoints: readonly Endpoint[], error: NodeJS.ErrnoException): Promise<string> =>
  (await listenFailure(endpoints, error)).message

describe('listenFailure', () => {
  const web = { host: '127.0.0.1', port: 80 }
  const any = { host: '203.0.113.1', port: 0 }
  const unix = { path: '/nonexistent/proxy.sock' }
  const all = [web, any, unix]

  it('says of a port that is not permitted nothing of directories', async () => {
    expect(await why(all, listenError('EACCES', web.host, web.port))).toBe(
      'cannot listen on 127.0.0.1:80: not permitted; a port below 1024 may need privileges (EACCES)'
    )
  })

  it('says of a unix socket nothing of ports', async () => {
    expect(await why(all, listenError('EACCES', unix.path, -1))).toBe(
      'cannot listen on unix:/nonexistent/proxy.sock: not permitted, or no such directory (EACCES)'
    )
  })

  it('names the endpoint also where the system was to choose its port', async () => {
    expect(await why(all, listenError('EADDRNOTAVAIL', any.host))).toBe(
      'cannot listen on 203.0.113.1:0: not an address of this machine (EADDRNOTAVAIL)'
    )
  })

  it('names all endpoints where the error does not say which, and a code that it does not know', async () => {
    expect(await why([web, unix], listenError('EMFILE'))).toBe(
      'cannot listen on 127.0.0.1:80, unix:/nonexistent/proxy.sock: EMFILE'
    )
  })
})

describe('it-socks serve, on a unix socket whose path is in use', () => {
  const serveOn = async (path: string): Promise<string> => {
    const { code, stdout, stderr } = await runCli(['serve', '--listen', `unix:${path}`])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    return stderr.replace(path, 'PATH')
  }

  it('says that a socket is left over where the server was killed, and leaves it alone', async () => {
    const path = join(await temporaryFolder(), 'proxy.sock')
    const cli = await serveCli(['--listen', `unix:${path}`])
    cli.kill('SIGKILL')
    await cli.ended
    expect(await serveOn(path)).toBe(
      'it-socks: cannot listen on unix:PATH: a socket is left over there on which nobody listens: remove it (EADDRINUSE)\n'
    )
    expect((await stat(path)).isSocket()).toBe(true)
  })

  it('says that it is taken where somebody listens', async () => {
    const path = join(await temporaryFolder(), 'proxy.sock')
    const server = createServer((socket) => socket.destroy()).listen(path)
    await once(server, 'listening')
    expect(await serveOn(path)).toBe('it-socks: cannot listen on unix:PATH: it is taken (EADDRINUSE)\n')
    const client = createConnection(path)
    await once(client, 'connect')
    client.destroy()
    server.close()
  })

  it('does not take another file for a socket that is left over', async () => {
    const path = await temporaryFile('proxy.sock', 'not a socket')
    expect(await serveOn(path)).toBe(
      'it-socks: cannot listen on unix:PATH: there is a file that is no socket (EADDRINUSE)\n'
    )
  })
})
