import { afterEach, describe, expect, it, vi } from 'vitest'
import { get } from '../client.ts'
import * as customStage from '../custom-stage.ts'
import * as fiveLineProxy from '../five-line-proxy.ts'
import { run } from './proxy.ts'
import { serveText } from './web-server.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** What is said on `console.error` next. */
const nextComplaint = () =>
  new Promise<unknown>((resolve) => {
    vi.spyOn(console, 'error').mockImplementation(resolve)
  })

describe('the five-line proxy', () => {
  it('leads to a web server', async () => {
    const url = await serveText('hello')
    const proxy = await run(fiveLineProxy.serve)
    expect(await get(url, proxy)).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nhello$/)
  })

  it('goes on after a client that it had to refuse', async () => {
    const complaint = nextComplaint()
    const proxy = await run(fiveLineProxy.serve)
    await expect(get(new URL('http://127.0.0.1:1/'), proxy)).rejects.toMatchObject({ reply: 'connection-refused' })
    expect(await get(await serveText('still here'), proxy)).toContain('still here')
    expect(await complaint).toBe('cannot reach 127.0.0.1:1: ECONNREFUSED')
  })
})

describe('the proxy with a custom stage', () => {
  it('leads to the hosts that it was given', async () => {
    const proxy = await run((connections) => customStage.serve(connections, 'localhost', '127.0.0.1'))
    expect(await get(await serveText('hello'), proxy)).toContain('hello')
  })

  it('refuses all others, by the ruleset', async () => {
    const complaint = nextComplaint()
    const proxy = await run((connections) => customStage.serve(connections, 'example.com'))
    await expect(get(await serveText('hello'), proxy)).rejects.toMatchObject({ reply: 'not-allowed' })
    expect(await complaint).toBe('connection not allowed by ruleset')
  })
})
