import { tableResolve } from '@it-socks/net'
import { UnresolvableError } from '@it-socks/protocol'
import type { ReverseResolve } from '@it-socks/stage'
import { describe, expect, it } from 'vitest'
import { needs } from '../support/programs.ts'
import { startServer, type ProxyAddress } from '../support/proxies.ts'
import { run } from '../support/run.ts'

const startResolving = async (): Promise<ProxyAddress> => {
  const reverseResolve: ReverseResolve = async (ip) => {
    if (ip === '192.0.2.7') return 'www.example'
    throw new UnresolvableError(ip)
  }
  const resolve = tableResolve({ 'www.example': ['192.0.2.7'], 'six.example': ['2001:db8::7'] })
  const { proxy } = await startServer({ commands: ['resolve', 'resolvePtr'], resolve, reverseResolve })
  return proxy
}

describe('tor-resolve through our server', () => {
  needs('tor-resolve')

  it.each([
    { args: ['www.example'], answer: '192.0.2.7\n' },
    { args: ['six.example'], answer: '2001:db8::7\n' },
    { args: ['-x', '192.0.2.7'], answer: 'www.example\n' }
  ])('$args finds $answer', async ({ args, answer }) => {
    expect(await run('tor-resolve', [...args, await startResolving()])).toMatchObject({ code: 0, stdout: answer })
  })

  it.each([
    { what: 'a name without an address', args: ['nobody.example'] },
    { what: 'an address without a name', args: ['-x', '192.0.2.8'] }
  ])('is told of $what', async ({ args }) => {
    const { code, stderr } = await run('tor-resolve', [...args, await startResolving()])
    expect(code).not.toBe(0)
    expect(stderr).toContain("SOCKS5 status response '4'")
  })

  it('is told that a server does not resolve', async () => {
    const { proxy } = await startServer()
    const { code, stderr } = await run('tor-resolve', ['www.example', proxy])
    expect(code).not.toBe(0)
    expect(stderr).toContain("SOCKS5 status response '7'")
  })
})
