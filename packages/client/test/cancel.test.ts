import { describe, expect, it } from 'vitest'
import { DeadlineError } from '@it-socks/protocol'
import { connect } from '@it-socks/client'
import { never, onAbort, type Dial, type Resolve } from '@it-socks/stage'
import { client, server, type Line } from '@it-socks/testing'
import { scriptedProxy } from './scripted-proxy.ts'

const destination = 'example.com:80'
const credentials = { username: 'alice', password: 'open sesame' }

/** The conversation, as far as the client has said its part of a phase and the proxy owes the next answer. */
const phases: { owed: string; script: Line[] }[] = [
  { owed: 'its choice of a method', script: [client`05 02 00 02`] },
  { owed: 'half of its choice', script: [client`05 02 00 02`, server`05`] },
  {
    owed: 'its verdict on the credentials',
    script: [client`05 02 00 02`, server`05 02`, client`01 05 ${'alice'} 0b ${'open sesame'}`]
  },
  {
    owed: 'its reply',
    script: [client`05 02 00 02`, server`05 00`, client`05 01 00 03 0b ${'example.com'} 0050`]
  },
  {
    owed: 'half of its reply',
    script: [client`05 02 00 02`, server`05 00`, client`05 01 00 03 0b ${'example.com'} 0050`, server`05 00 00 01`]
  }
]

describe('an abort', () => {
  const reason = new Error('changed my mind')

  it.each(phases)('while the proxy owes $owed leaves nothing open', async ({ script }) => {
    const proxy = await scriptedProxy(script)
    const owner = new AbortController()
    const { host, port } = proxy
    const connecting = connect({ proxy: { host, port, ...credentials }, destination, signal: owner.signal })
    void proxy.played.then(() => owner.abort(reason))
    await expect(connecting).rejects.toBe(reason)
    await proxy.gone
  })

  it('before all dials nobody', async () => {
    const { clients, url } = await scriptedProxy([])
    const connecting = connect({ proxy: url, destination, signal: AbortSignal.abort(reason) })
    await expect(connecting).rejects.toBe(reason)
    expect(clients()).toBe(0)
  })

  it('while the name is being resolved dials nobody, even if the resolver does not care', async () => {
    const { clients, host, port } = await scriptedProxy([])
    const owner = new AbortController()
    const names: Resolve = () => {
      owner.abort(reason)
      return new Promise(() => {})
    }
    const connecting = connect({ proxy: { host, port, names }, destination, signal: owner.signal })
    await expect(connecting).rejects.toBe(reason)
    expect(clients()).toBe(0)
  })

  it('while the proxy is being dialled is the signal’s reason, not the proxy’s failure', async () => {
    const owner = new AbortController()
    const dial: Dial = (_, { signal = never } = {}) =>
      new Promise((_, reject) => {
        onAbort(signal, () => reject(new Error('whatever the system says')))
        owner.abort(reason)
      })
    const connecting = connect({ proxy: 'socks5h://127.0.0.1:1', destination, signal: owner.signal, dial })
    await expect(connecting).rejects.toBe(reason)
  })

  it('after it has connected does nothing: the tunnel has an abort of its own', async () => {
    const script = [
      client`05 01 00`,
      server`05 00`,
      client`05 01 00 03 0b ${'example.com'} 0050`,
      server`05 00 00 01 c0000201 1f90`,
      client`${'still here'}`,
      server`${'so am I'}`
    ]
    const proxy = await scriptedProxy(script)
    const owner = new AbortController()
    const tunnel = await connect({ proxy: proxy.url, destination, signal: owner.signal })
    owner.abort(reason)
    const talking = tunnel.sink(
      (async function* () {
        yield new TextEncoder().encode('still here')
        await new Promise(() => {})
      })()
    )
    const { value } = await tunnel.source[Symbol.asyncIterator]().next()
    expect(new TextDecoder().decode((value as Uint8Array).subarray())).toBe('so am I')
    const done = new Error('done')
    tunnel.abort?.(done)
    await expect(talking).rejects.toBe(done)
    await proxy.gone
  })
})

describe('a timeout', () => {
  it('is a DeadlineError where the proxy accepts and says nothing', async () => {
    const proxy = await scriptedProxy([])
    const connecting = connect({ proxy: proxy.url, destination, timeout: 20 })
    await expect(connecting).rejects.toThrow(DeadlineError)
    await expect(connecting).rejects.toThrow('connecting through the proxy took longer than 20 ms')
    await proxy.gone
  })

  it('counts from resolving the name on', async () => {
    const names: Resolve = () => new Promise(() => {})
    const connecting = connect({ proxy: { host: '127.0.0.1', names }, destination, timeout: 20 })
    await expect(connecting).rejects.toThrow(DeadlineError)
  })

  it('counts dialling the proxy, and is no failure of the proxy’s', async () => {
    const dial: Dial = (_, { signal = never } = {}) =>
      new Promise((_, reject) => {
        onAbort(signal, () => reject(signal.reason))
      })
    const connecting = connect({ proxy: 'socks5h://127.0.0.1:1', destination, timeout: 20, dial })
    await expect(connecting).rejects.toThrow(DeadlineError)
  })
})
