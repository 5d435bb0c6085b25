import { formatAddress, type Address } from '@it-socks/protocol'
import { createServer, type ServerOptions } from '@it-socks/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { lookUp } from '../dns-over-udp.ts'
import { serveName } from './dns-server.ts'

const proxy = async (options: ServerOptions = {}): Promise<string> => {
  const server = createServer({ listen: { host: '127.0.0.1', port: 0 }, ...options })
  onTestFinished(() => server.close())
  const [endpoint] = await server.listen()
  return `socks5h://${formatAddress(endpoint as Address)}`
}

describe('DNS over UDP through a proxy', () => {
  it('finds the addresses of a name', async () => {
    const dns = await serveName('example.com', ['192.0.2.1', '192.0.2.2'])
    expect(await lookUp('example.com', dns, await proxy())).toEqual(['192.0.2.1', '192.0.2.2'])
  })

  it('tells of a name that there is not', async () => {
    const dns = await serveName('example.com', ['192.0.2.1'])
    await expect(lookUp('example.org', dns, await proxy())).rejects.toThrow('there is no such name')
  })

  it('asks again where a datagram is lost', async () => {
    const dns = await serveName('example.com', ['192.0.2.1'], { deafTo: 1 })
    expect(await lookUp('example.com', dns, await proxy())).toEqual(['192.0.2.1'])
  })

  it('takes no notice of what is no answer to the question', async () => {
    const dns = await serveName('example.com', ['192.0.2.1'], { noise: new Uint8Array(100) })
    expect(await lookUp('example.com', dns, await proxy())).toEqual(['192.0.2.1'])
  })

  it('gives up in the end', async () => {
    const dns = await serveName('example.com', [], { deafTo: Infinity })
    await expect(lookUp('example.com', dns, await proxy(), 50)).rejects.toThrow(`no answer from ${dns}`)
  })

  it('tells that the proxy does not do UDP', async () => {
    const without = await proxy({ commands: ['connect'] })
    await expect(lookUp('example.com', '192.0.2.53:53', without)).rejects.toMatchObject({
      reply: 'command-not-supported'
    })
  })
})
