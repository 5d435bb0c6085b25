import { describe, expect, it } from 'vitest'
import { ConfigurationError, RefusedError, type Address } from '@it-socks/protocol'
import { bind, type BindOptions } from '@it-socks/command'
import { relay } from '@it-socks/relay'
import { pipe, type ByteDuplex } from '@it-socks/stage'
import { client, memoryBinder, play, server, type Line } from '@it-socks/testing'
import { bindSteps, serveBind } from './binding.ts'

const greeted = [client`05 01 00`, server`05 00`]
const asking = client`05 02 00 01 c0000209 0014`
const listening = server`05 00 00 01 c0000201 0fa0`
const peer = { host: '192.0.2.9', port: 20 }

interface Scene extends BindOptions {
  /** Where the socket listens. */
  address?: Address
  /** Who connects. */
  from?: Address
}

/** Plays the client to BIND; what comes of it is whose tunnel it is, what the binder was asked, and what still listens. */
const bound = (script: readonly Line[], { address, from = peer, ...options }: Scene = {}) =>
  play({
    script: [...greeted, ...script],
    testing: 'server',
    stays: true,
    run: async (duplex) => {
      const memory = memoryBinder(address && { address })
      void memory.connect(from)
      const { context } = await serveBind(duplex, bind(memory.binder, options))
      const [{ signal: _, ...asked } = {}] = memory.asked
      return { tunnel: context.tunnel.remoteAddress, asked, listening: memory.listening() }
    }
  })

describe('bind', () => {
  it('replies twice: where it listens, and who connected', async () => {
    expect(await bound([asking, listening, server`05 00 00 01 c0000209 0014`])).toEqual({
      tunnel: peer,
      asked: { near: '192.0.2.1', peer: '192.0.2.9' },
      listening: 0
    })
  })

  it('does so with IPv6', async () => {
    const script = [
      client`05 02 00 04 20010db8000000000000000000000009 0000`,
      server`05 00 00 04 20010db8000000000000000000000001 0fa0`,
      server`05 00 00 04 20010db8000000000000000000000009 ffff`
    ]
    const from = { host: '2001:db8::9', port: 65535 }
    const address = { host: '2001:db8::1', port: 4000 }
    expect(await bound(script, { address, from })).toMatchObject({ tunnel: from, asked: { peer: '2001:db8::9' } })
  })

  it('does not compare ports: the client cannot know from which one its peer connects', async () => {
    const from = { host: '192.0.2.9', port: 50_000 }
    expect(await bound([asking, listening, server`05 00 00 01 c0000209 c350`], { from })).toMatchObject({
      tunnel: from
    })
  })

  it('relays what either side says ahead of the second reply, after it', async () => {
    const run = async (duplex: ByteDuplex) => {
      const { binder, connect } = memoryBinder()
      const heard: number[] = []
      const talk = async (): Promise<void> => {
        const far = await connect(peer)
        const lines = async function* (): AsyncGenerator<Uint8Array> {
          yield server`${'220 ready'}`.bytes
          for await (const bytes of far.source) {
            heard.push(...bytes.subarray())
            if (heard.length === 10) yield server`${' all heard'}`.bytes
          }
        }
        await far.sink(lines())
      }
      const [traffic] = await Promise.all([
        pipe(duplex, ...bindSteps(duplex, bind(binder)), relay(duplex, { linger: 0 })),
        talk()
      ])
      return { traffic, heard: new TextDecoder().decode(Uint8Array.from(heard)) }
    }
    const script = [
      ...greeted,
      client`05 02 00 01 c0000209 0014 ${'early'}`,
      client`${' data'}`,
      listening,
      server`05 00 00 01 c0000209 0014`,
      server`${'220 ready all heard'}`
    ]
    const served = await play({ script, testing: 'server', stays: true, run })
    expect(served).toEqual({ traffic: { up: 10, down: 19 }, heard: 'early data' })
  })

  it('says what the binder says where nothing can listen', async () => {
    const error = new RefusedError('network-unreachable')
    const run = (duplex: ByteDuplex) =>
      serveBind(
        duplex,
        bind(() => Promise.reject(error))
      )
    const script = [...greeted, asking, server`05 03 00 01 00000000 0000`]
    await expect(play({ script, testing: 'server', run })).rejects.toBe(error)
  })
})

describe('the address that bind tells', () => {
  it.each([
    { told: 'the public host', publicHost: '203.0.113.1', host: '192.0.2.1', bnd: 'cb007101' },
    { told: 'its own on loopback, which only we reach', publicHost: '203.0.113.1', host: '127.0.0.1', bnd: '7f000001' },
    { told: 'its own of another family', publicHost: '2001:db8::1', host: '192.0.2.1', bnd: 'c0000201' }
  ])('is $told', async ({ publicHost, host, bnd }) => {
    const first = server`05 00 00 01 ${Buffer.from(bnd, 'hex')} 0fa0`
    const script = [asking, first, server`05 00 00 01 c0000209 0014`]
    expect(await bound(script, { address: { host, port: 4000 }, publicHost })).toMatchObject({ tunnel: peer })
  })

  it.each(['proxy.example.com', '0.0.0.0', '::', '0:0::0'])('needs an IP address of its own, not %s', (publicHost) => {
    const { binder } = memoryBinder()
    expect(() => bind(binder, { publicHost })).toThrow(ConfigurationError)
  })
})
