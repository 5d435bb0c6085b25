import { describe, expect, it } from 'vitest'
import { ClosedError, DeadlineError, ProxyClosedError, RefusedError } from '@it-socks/protocol'
import { bind, type Listening } from '@it-socks/client'
import type { Dial, Resolve } from '@it-socks/stage'
import { client, duplexPair, hex, server, type Line } from '@it-socks/testing'
import { scriptedProxy, type ScriptedProxy, type ScriptedProxyOptions } from './scripted-proxy.ts'

const greeted = [client`05 01 00`, server`05 00`]
const expecting = client`05 02 00 01 c0000209 0014`
const listening = server`05 00 00 01 c6336401 1f90`
const came = server`05 00 00 01 c0000209 c350`
const peer = '192.0.2.9:20'

/** Binds through a proxy that goes on with `script` after its first reply. */
const opened = async (
  script: readonly Line[],
  options?: ScriptedProxyOptions
): Promise<{ proxy: ScriptedProxy; bound: Listening }> => {
  const proxy = await scriptedProxy([...greeted, expecting, listening, ...script], options)
  return { proxy, bound: await bind({ proxy: proxy.url, peer }) }
}

const textOf = async (source: AsyncIterable<{ subarray(): Uint8Array }>): Promise<string> => {
  const decoder = new TextDecoder()
  let text = ''
  for await (const bytes of source) text += decoder.decode(bytes.subarray(), { stream: true })
  return text
}

const saying = async function* (text: string): AsyncGenerator<Uint8Array> {
  yield hex`${text}`
}

describe('bind', () => {
  it('comes to the address, and then to a tunnel with the peer, whose ends are the two', async () => {
    const { proxy, bound } = await opened([came, client`${'150 ok'}`, server`${'data'}`], { finally: 'end' })
    expect(bound.address).toEqual({ host: '198.51.100.1', port: 8080 })
    const tunnel = await bound.accept()
    expect(tunnel.localAddress).toEqual({ host: '198.51.100.1', port: 8080 })
    expect(tunnel.remoteAddress).toEqual({ host: '192.0.2.9', port: 50_000 })
    expect(tunnel.transport).toBeDefined()
    const [answer] = await Promise.all([textOf(tunnel.source), tunnel.sink(saying('150 ok'))])
    expect(answer).toBe('data')
    await proxy.gone
  })

  it('has what the peer says first, glued to the second reply, and that glued to the first', async () => {
    const glued = server`05 00 00 01 c6336401 1f90 05 00 00 01 c0000209 c350 ${'220 '}`
    const script = [...greeted, expecting, glued, client`${'QUIT'}`, server`${'221 bye'}`]
    const proxy = await scriptedProxy(script, { finally: 'end' })
    const bound = await bind({ proxy: proxy.url, peer })
    const tunnel = await bound.accept()
    const [answer] = await Promise.all([textOf(tunnel.source), tunnel.sink(saying('QUIT'))])
    expect(answer).toBe('220 221 bye')
  })

  it('expects anybody unless it is told', async () => {
    const anybody = client`05 02 00 01 00000000 0000`
    const proxy = await scriptedProxy([...greeted, anybody, listening])
    const bound = await bind({ proxy: proxy.url })
    bound.close()
    await expect(proxy.played).resolves.toBeUndefined()
  })

  it('names the peer to the proxy by its name, or by its address where names are resolved here', async () => {
    const byName = client`05 02 00 03 0b ${'ftp.example'} 0014`
    const table: Resolve = async () => ['192.0.2.9', '192.0.2.10']
    for (const { line, names } of [
      { line: byName, names: 'remote' as const },
      { line: expecting, names: table }
    ]) {
      const { host, port, played } = await scriptedProxy([...greeted, line, listening])
      const bound = await bind({ proxy: { host, port, names }, peer: 'ftp.example:20' })
      bound.close()
      await expect(played).resolves.toBeUndefined()
    }
  })

  it.each([
    { said: '0.0.0.0', reply: server`05 00 00 01 00000000 1f90` },
    { said: '::', reply: server`05 00 00 04 00000000000000000000000000000000 1f90` }
  ])('takes the proxy’s own address for $said', async ({ reply }) => {
    const proxy = await scriptedProxy([...greeted, expecting, reply])
    const bound = await bind({ proxy: proxy.url, peer })
    expect(bound.address).toEqual({ host: '127.0.0.1', port: 8080 })
    bound.close()
    await proxy.gone
  })

  it('takes the address that the proxy was dialled at where the connection has none', async () => {
    const [near, far] = duplexPair()
    const dial: Dial = async () => ({ source: near.source, sink: (source) => near.sink(source) })
    void far.sink(
      (async function* () {
        yield hex`05 00`
        yield hex`05 00 00 01 00000000 1f90`
      })()
    )
    void textOf(far.source)
    const bound = await bind({ proxy: 'socks5h://proxy.example', dial })
    expect(bound.address).toEqual({ host: 'proxy.example', port: 8080 })
  })

  it('is told by name that the proxy does not do it', async () => {
    const proxy = await scriptedProxy([...greeted, expecting, server`05 07 00 01 00000000 0000`])
    await expect(bind({ proxy: proxy.url, peer })).rejects.toMatchObject({
      name: 'RefusedError',
      reply: 'command-not-supported'
    })
    await proxy.gone
  })

  it('leaves nothing open where it is given up before the first reply', async () => {
    const proxy = await scriptedProxy([...greeted, expecting])
    const owner = new AbortController()
    const reason = new Error('changed my mind')
    const binding = bind({ proxy: proxy.url, peer, signal: owner.signal })
    void proxy.played.then(() => owner.abort(reason))
    await expect(binding).rejects.toBe(reason)
    await proxy.gone
  })

  it('leaves nothing open where the first reply takes too long', async () => {
    const proxy = await scriptedProxy([...greeted, expecting])
    const binding = bind({ proxy: proxy.url, peer, timeout: 20 })
    await expect(binding).rejects.toThrow('binding through the proxy took longer than 20 ms')
    await proxy.gone
  })

  it('has no use for its signal once it listens', async () => {
    const proxy = await scriptedProxy([...greeted, expecting, listening])
    const owner = new AbortController()
    const bound = await bind({ proxy: proxy.url, peer, signal: owner.signal, timeout: Infinity })
    owner.abort()
    const accepting = bound.accept()
    bound.close()
    await expect(accepting).rejects.toThrow(ClosedError)
    await proxy.gone
  })
})

describe('waiting for the peer', () => {
  it('ends with the refusal where it did not come, or another did', async () => {
    for (const { reply, name } of [
      { reply: server`05 06 00 01 00000000 0000`, name: 'ttl-expired' },
      { reply: server`05 02 00 01 00000000 0000`, name: 'not-allowed' }
    ]) {
      const { proxy, bound } = await opened([reply])
      const accepting = bound.accept()
      await expect(accepting).rejects.toThrow(RefusedError)
      await expect(accepting).rejects.toMatchObject({ reply: name })
      await proxy.gone
    }
  })

  it.each(['end', 'reset'] as const)('names a proxy that hangs up instead (%s)', async (last) => {
    const { proxy, bound } = await opened([], { finally: last })
    await expect(bound.accept()).rejects.toThrow(ProxyClosedError)
    await proxy.gone
  })

  it.each(Array.from({ length: 9 }, (_, index) => index + 1))(
    'names a proxy that hangs up %d bytes into its second reply',
    async (length) => {
      const half: Line = { from: 'server', bytes: came.bytes.slice(0, length) }
      const { proxy, bound } = await opened([half], { finally: 'end' })
      await expect(bound.accept()).rejects.toMatchObject({ code: 'ERR_SOCKS_TRUNCATED' })
      await proxy.gone
    }
  )

  it('ends by its own signal, and leaves nothing open', async () => {
    const { proxy, bound } = await opened([])
    const owner = new AbortController()
    const reason = new Error('changed my mind')
    const accepting = bound.accept({ signal: owner.signal })
    owner.abort(reason)
    await expect(accepting).rejects.toBe(reason)
    await proxy.gone
  })

  it('ends by its own deadline, and leaves nothing open', async () => {
    const { proxy, bound } = await opened([])
    const accepting = bound.accept({ timeout: 20 })
    await expect(accepting).rejects.toThrow(DeadlineError)
    await expect(accepting).rejects.toThrow('waiting for the peer took longer than 20 ms')
    await proxy.gone
  })

  it('is over at once with a signal that has aborted', async () => {
    const { proxy, bound } = await opened([])
    const reason = new Error('too late')
    await expect(bound.accept({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    await proxy.gone
  })

  it('ends by close, and leaves nothing open', async () => {
    const { proxy, bound } = await opened([])
    const accepting = bound.accept()
    bound.close()
    await expect(accepting).rejects.toThrow(ClosedError)
    await proxy.gone
  })

  it('cannot begin after close', async () => {
    const { proxy, bound } = await opened([])
    bound.close()
    await proxy.gone
    await expect(bound.accept()).rejects.toThrow(ClosedError)
  })

  it('happens once: there is one peer', async () => {
    const { bound } = await opened([came])
    const tunnel = await bound.accept()
    await expect(bound.accept()).rejects.toThrow('BIND takes one connection')
    tunnel.abort?.(new Error('done'))
  })

  it('leaves a tunnel alone that is there, whatever is closed or aborted then', async () => {
    const { proxy, bound } = await opened([came, client`${'still here'}`, server`${'so am I'}`], { finally: 'end' })
    const owner = new AbortController()
    const tunnel = await bound.accept({ signal: owner.signal })
    owner.abort()
    bound.close()
    const [answer] = await Promise.all([textOf(tunnel.source), tunnel.sink(saying('still here'))])
    expect(answer).toBe('so am I')
    await proxy.gone
  })
})
