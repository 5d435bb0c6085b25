import { dnsResolve } from '@it-socks/net'
import { UnresolvableError } from '@it-socks/protocol'
import { describe, expect, it } from 'vitest'
import { startDns } from '../support/dns.ts'
import { needs } from '../support/programs.ts'
import { startServer } from '../support/proxies.ts'
import { startTarget } from '../support/target.ts'
import { open, textOf } from '../support/tunnel.ts'

describe('names that dnsmasq knows', () => {
  needs('dnsmasq')

  it('are resolved by asking it, and no others are', async () => {
    const resolve = dnsResolve({ servers: [`127.0.0.1:${await startDns({ 'www.example': '192.0.2.7' })}`] })
    expect(await resolve('www.example')).toEqual(['192.0.2.7'])
    expect(await resolve('www.example', { family: 4 })).toEqual(['192.0.2.7'])
    await expect(resolve('www.example', { family: 6 })).rejects.toThrow(UnresolvableError)
    await expect(resolve('other.example')).rejects.toThrow(UnresolvableError)
  })

  it('are what clients of our server reach', async () => {
    const servers = [`127.0.0.1:${await startDns({ 'www.example': '127.0.0.1' })}`]
    const [{ proxy }, target] = await Promise.all([
      startServer({ resolve: dnsResolve({ servers }) }),
      startTarget({ onConnection: (socket) => socket.end('hello') })
    ])
    const { source } = await open({ proxy: `socks5h://${proxy}`, destination: `www.example:${target.port}` })
    expect(await textOf(source)).toBe('hello')
    const failed = open({ proxy: `socks5h://${proxy}`, destination: `other.example:${target.port}` })
    await expect(failed).rejects.toMatchObject({ reply: 'host-unreachable' })
  })
})
