import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { needs, program } from '../support/programs.ts'
import { startServer } from '../support/proxies.ts'
import { run } from '../support/run.ts'
import { startSshd } from '../support/ssh.ts'
import { sha256 } from '../support/web.ts'

describe('ssh with ProxyCommand nc -X 5 through our server', () => {
  needs('ssh', 'sshd', 'ssh-keygen', 'nc')

  it('runs a command', async () => {
    const [{ server, proxy }, sshd] = await Promise.all([startServer(), startSshd()])
    const ports: number[] = []
    server.on('established', ({ request }) => ports.push(request!.destination.port))
    const proxyCommand = `ProxyCommand=${program('nc')} -X 5 -x ${proxy} %h %p`
    const answer = await run('ssh', [...sshd.options, '-o', proxyCommand, sshd.destination, 'echo hello; exit 7'])
    expect(answer).toMatchObject({ code: 7, stdout: 'hello\n', stderr: '' })
    expect(ports).toEqual([sshd.port])
  })

  it('carries megabytes both ways at a time', async () => {
    const [{ proxy }, sshd] = await Promise.all([startServer(), startSshd()])
    const proxyCommand = `ProxyCommand=${program('nc')} -X 5 -x ${proxy} %h %p`
    const input = randomBytes(8_000_000)
    const { code, bytes } = await run('ssh', [...sshd.options, '-o', proxyCommand, sshd.destination, 'cat'], { input })
    expect(code).toBe(0)
    expect(sha256(bytes)).toBe(sha256(input))
  })
})
