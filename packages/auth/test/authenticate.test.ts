import { describe, expect, it } from 'vitest'
import {
  ConfigurationError,
  NoAcceptableMethodError,
  NoMethodsError,
  TruncatedError,
  VersionError
} from '@it-socks/protocol'
import { authenticate, none, usernamePassword, users, type ServerMethod } from '@it-socks/auth'
import { frames, handshake, pipe, stage } from '@it-socks/stage'
import { client, play, server, type Line } from '@it-socks/testing'

const withPassword = usernamePassword({ verify: users({ alice: 'open sesame' }) })

/** Plays the client to `authenticate(methods)`; what comes of it is the identity. */
const serve = (methods: readonly ServerMethod[], script: readonly Line[]) =>
  play({
    script,
    testing: 'server',
    run: async (duplex) => (await pipe(duplex, frames(), authenticate(methods), handshake(duplex))).context.identity
  })

describe('authenticate', () => {
  it('takes a client without authentication', async () => {
    expect(await serve([none()], [client`05 01 00`, server`05 00`])).toEqual({ method: 'none' })
  })

  it('prefers in its own order, not in the client’s', async () => {
    const script = [client`05 02 00 02`, server`05 02`, client`01 05 ${'alice'} 0b ${'open sesame'}`, server`01 00`]
    expect(await serve([withPassword, none()], script)).toEqual({ method: 'username/password', username: 'alice' })
  })

  it('takes its second choice where the client does not offer the first', async () => {
    expect(await serve([withPassword, none()], [client`05 02 01 00`, server`05 00`])).toEqual({ method: 'none' })
  })

  it('finds its method among the most that a client can offer', async () => {
    const all = Uint8Array.from({ length: 255 }, (_, index) => 254 - index)
    expect(await serve([none()], [client`05 ff ${all}`, server`05 00`])).toEqual({ method: 'none' })
  })

  it('answers 0xFF where no method fits', async () => {
    await expect(serve([withPassword], [client`05 01 00`, server`05 ff`])).rejects.toThrow(NoAcceptableMethodError)
  })

  it('answers 0xFF to 255 methods of which none fits, and names them in the error', async () => {
    const others = Uint8Array.from({ length: 255 }, (_, index) => index).map((id) => (id === 0 ? 1 : id))
    await expect(serve([none()], [client`05 ff ${others}`, server`05 ff`])).rejects.toThrow(/among 0x01, 0x01, 0x02/)
  })

  it('answers 0xFF to a greeting of no methods', async () => {
    await expect(serve([none()], [client`05 00`, server`05 ff`])).rejects.toThrow(NoMethodsError)
  })

  it('says nothing to a client that does not speak SOCKS5', async () => {
    await expect(serve([none()], [client`${'GET / HTTP/1.1'}`])).rejects.toThrow(VersionError)
    await expect(serve([none()], [client`04 01 00 50 c0 00 02 01 00`])).rejects.toThrow(VersionError)
  })

  it.each([
    { came: 'nothing', script: [] },
    { came: 'VER', script: [client`05`] },
    { came: 'VER and NMETHODS', script: [client`05 02`] },
    { came: 'one method of two', script: [client`05 02 00`] }
  ])('says nothing to a client that leaves when $came had come', async ({ script }) => {
    await expect(serve([none()], script)).rejects.toThrow(TruncatedError)
  })

  it('leaves what comes behind the greeting to the stage after it', async () => {
    const glued = await play({
      script: [client`05 01 00`, server`05 00`, client`${'early'}`],
      testing: 'server',
      run: async (duplex) => {
        const { duplex: rest } = await pipe(duplex, frames(), authenticate([none()]), handshake(duplex))
        let text = ''
        for await (const bytes of rest.source) text += new TextDecoder().decode(bytes.subarray())
        await rest.sink((async function* () {})())
        return text
      }
    })
    expect(glued).toBe('early')
  })

  it('has the stages after it refuse with SOCKS5 replies', async () => {
    const failing = stage<unknown, {}>(async function* () {
      throw new Error('out of order')
    })
    const served = play({
      script: [client`05 01 00`, server`05 00`, server`05 01 00 01 00000000 0000`],
      testing: 'server',
      run: (duplex) => pipe(duplex, frames(), authenticate([none()]), failing, handshake(duplex))
    })
    await expect(served).rejects.toThrow('out of order')
  })
})

describe('authenticate, put together wrongly', () => {
  it('needs a method', () => {
    expect(() => authenticate([])).toThrow(ConfigurationError)
  })

  it('needs methods that can be told apart', () => {
    expect(() => authenticate([none(), withPassword, none()])).toThrow(ConfigurationError)
  })

  it.each([-1, 0.5, 255, 256, Number.NaN])('needs methods with an id that can be selected, not %d', (id) => {
    expect(() => authenticate([{ ...none(), id }])).toThrow(ConfigurationError)
  })
})
