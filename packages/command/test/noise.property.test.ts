import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { authenticate, login, none, usernamePassword, users } from '@it-socks/auth'
import { ask, command, connect, request } from '@it-socks/command'
import { SocksError } from '@it-socks/protocol'
import { relay } from '@it-socks/relay'
import { frames, handshake, pipe, type ByteDuplex } from '@it-socks/stage'
import { duplexPair, hex } from '@it-socks/testing'

/** What a peer may say, right as often as not, so that noise gets past the first message. */
const saying = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc.constantFrom(hex`05 01 00`, hex`05 02 00 02`, hex`05 00`, hex`05 02`, hex`01 00`),
      fc.constantFrom(hex`01 01 61 01 62`, hex`05 01 00 01 c0 00 02 01 00 50`, hex`05 00 00 01 00 00 00 00 00 00`)
    ),
    { maxLength: 6 }
  )
  .map((chunks) => chunks.filter(({ length }) => length > 0))

/** Has the peer say these chunks and half-close, and hears it out; what becomes of `run` at the other end. */
const against = async (chunks: readonly Uint8Array[], run: (duplex: ByteDuplex) => Promise<unknown>) => {
  const [near, far] = duplexPair()
  const said = far.sink(
    (async function* () {
      yield* chunks
    })()
  )
  const heard = (async () => {
    for await (const _ of far.source);
  })()
  const [outcome] = await Promise.allSettled([run(near)])
  near.abort(new Error('over'))
  await Promise.allSettled([said, heard])
  return outcome
}

const hasName = (outcome: PromiseSettledResult<unknown>): boolean =>
  outcome.status === 'fulfilled' || outcome.reason instanceof SocksError

it('a server survives any client: it relays, or fails with an error that has a name', async () => {
  const methods = [usernamePassword({ verify: users({ a: 'b' }) }), none()]
  await fc.assert(
    fc.asyncProperty(saying, async (chunks) => {
      const [tunnel, target] = duplexPair()
      const echoed = target.sink(target.source).catch(() => 'reset')
      const outcome = await against(chunks, (duplex) =>
        pipe(
          duplex,
          frames(),
          authenticate(methods),
          request(),
          command({ connect: connect(async () => tunnel) }),
          relay(duplex, { linger: 0 })
        )
      )
      expect(hasName(outcome)).toBe(true)
      tunnel.abort(new Error('over'))
      await echoed
    })
  )
})

it('a client survives any proxy: it has its tunnel, or fails with an error that has a name', async () => {
  const methods = [none(), usernamePassword({ username: 'a', password: 'b' })]
  const destination = { host: 'example.com', port: 80 }
  await fc.assert(
    fc.asyncProperty(saying, async (chunks) => {
      const outcome = await against(chunks, (duplex) =>
        pipe(
          duplex,
          frames(),
          login(methods),
          ask({ command: 'connect', destination }),
          handshake(duplex, { linger: 0 })
        )
      )
      expect(hasName(outcome)).toBe(true)
    })
  )
})
