import { ProxyUnreachableError, formatAddress, type Address } from '@it-socks/protocol'
import { createServer } from '@it-socks/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { get } from '../client.ts'
import { serveText } from './web-server.ts'

describe('the client', () => {
  it('gets a page through the server that comes assembled', async () => {
    const server = createServer({ listen: { host: '127.0.0.1', port: 0 } })
    onTestFinished(() => server.close())
    const [endpoint] = await server.listen()
    const page = 'x'.repeat(1_000_000)
    const response = await get(await serveText(page), `socks5h://${formatAddress(endpoint as Address)}`)
    expect(response.split('\r\n\r\n')[1]).toBe(page)
  })

  it('tells that the proxy is not there', async () => {
    await expect(get(new URL('http://example.com/'), 'socks5h://127.0.0.1:1')).rejects.toThrow(ProxyUnreachableError)
  })
})
