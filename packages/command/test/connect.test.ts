import { describe, expect, it } from 'vitest'
import {
  AuthenticationError,
  DeadlineError,
  ProxyUnreachableError,
  RefusedError,
  UnresolvableError,
  type Address,
  type RefusalName
} from '@it-socks/protocol'
import { authenticate, none } from '@it-socks/auth'
import { command, connect, request } from '@it-socks/command'
import { relay } from '@it-socks/relay'
import { frames, handshake, never, pipe, stage, type ByteDuplex, type Dial, type Stage } from '@it-socks/stage'
import { client, duplexPair, hex, play, server } from '@it-socks/testing'

const greeted = [client`05 01 00`, server`05 00`]
const asking = client`05 01 00 01 c0000209 0050`

/** The default pipeline, with `after` behind the command. */
const serve = (duplex: ByteDuplex, dial: Dial, after: Stage<unknown, {}> = nothing, signal: AbortSignal = never) => {
  const handlers = { connect: connect(dial) }
  const steps = [frames({ signal }), authenticate([none()]), request(), command(handlers), after] as const
  return pipe(duplex, ...steps, handshake(duplex))
}

const nothing = stage<unknown, {}>(async function* () {
  return {}
})

describe('connect', () => {
  it.each([
    { local: { host: '192.0.2.1', port: 8080 }, answer: server`05 00 00 01 c0000201 1f90` },
    { local: { host: '2001:db8::1', port: 8080 }, answer: server`05 00 00 04 20010db8000000000000000000000001 1f90` },
    { local: undefined, answer: server`05 00 00 01 00000000 0000` }
  ])('answers with the local address of the tunnel: $local.host', async ({ local, answer }) => {
    const dial: Dial = async () => ({ ...duplexPair()[0], localAddress: local })
    const run = async (duplex: ByteDuplex) => (await serve(duplex, dial)).context.tunnel.localAddress
    expect(await play({ script: [...greeted, asking, answer], testing: 'server', run })).toEqual(local)
  })

  it.each([
    { line: client`05 01 00 01 c0000209 0050`, destination: { host: '192.0.2.9', port: 80 } },
    { line: client`05 01 00 03 0b ${'example.com'} 01bb`, destination: { host: 'example.com', port: 443 } }
  ])('dials $destination.host, as it was asked to', async ({ line, destination }) => {
    const dialled: Address[] = []
    const dial: Dial = async (to) => {
      dialled.push(to)
      return duplexPair()[0]
    }
    const run = async (duplex: ByteDuplex) => {
      await serve(duplex, dial)
    }
    await play({ script: [...greeted, line, server`05 00 00 01 c0000201 0001`], testing: 'server', run })
    expect(new Set(dialled.map(({ host, port }) => `${host} ${port}`))).toEqual(
      new Set([`${destination.host} ${destination.port}`])
    )
  })

  it('leaves early data, glued to the request or ahead of the reply, to whoever takes the tunnel', async () => {
    const run = async (duplex: ByteDuplex) => {
      const [tunnel, target] = duplexPair()
      const heard: number[] = []
      const listening = async function* (): AsyncGenerator<Uint8Array> {
        for await (const bytes of target.source) {
          heard.push(...bytes.subarray())
          if (heard.length === 10) yield hex`${'all heard'}`
        }
      }
      const answered = target.sink(listening())
      const handlers = { connect: connect(async () => tunnel) }
      const steps = [frames(), authenticate([none()]), request(), command(handlers)] as const
      const traffic = await pipe(duplex, ...steps, relay(duplex))
      await answered
      return { traffic, heard: new TextDecoder().decode(Uint8Array.from(heard)) }
    }
    const script = [
      ...greeted,
      client`05 01 00 01 c0000209 0050 ${'early'}`,
      client`${' data'}`,
      server`05 00 00 01 c0000201 0001`,
      server`${'all heard'}`
    ]
    const served = await play({ script, testing: 'server', run })
    expect(served).toEqual({ traffic: { up: 10, down: 9 }, heard: 'early data' })
  })
})

describe('connect, where the dial fails', () => {
  const refusals: [RefusalName, string][] = [
    ['general-failure', '01'],
    ['not-allowed', '02'],
    ['network-unreachable', '03'],
    ['host-unreachable', '04'],
    ['connection-refused', '05'],
    ['ttl-expired', '06'],
    ['command-not-supported', '07'],
    ['address-type-not-supported', '08']
  ]
  const failures: [string, Error, string][] = [
    ...refusals.map(([name, rep]): [string, Error, string] => [name, new RefusedError(name), rep]),
    ['a name without an address', new UnresolvableError('example.com'), '04'],
    ['time that is up', new DeadlineError('dialling', 5), '06'],
    ['another proxy that cannot be reached', new ProxyUnreachableError('192.0.2.3:1080'), '01'],
    ['another proxy that does not let us in', new AuthenticationError(), '02'],
    ['an error that has no name', new TypeError('not a function'), '01']
  ]

  it.each(failures)('answers for %s', async (_, error, rep) => {
    const dial: Dial = () => Promise.reject(error)
    const script = [...greeted, asking, server`05 ${Uint8Array.of(Number(rep))} 00 01 00000000 0000`]
    const run = (duplex: ByteDuplex) => serve(duplex, dial)
    await expect(play({ script, testing: 'server', run })).rejects.toBe(error)
  })

  it('answers for a dial that throws at once', async () => {
    const dial: Dial = () => {
      throw new RefusedError('connection-refused')
    }
    const script = [...greeted, asking, server`05 05 00 01 00000000 0000`]
    const run = (duplex: ByteDuplex) => serve(duplex, dial)
    await expect(play({ script, testing: 'server', run })).rejects.toThrow(RefusedError)
  })
})
