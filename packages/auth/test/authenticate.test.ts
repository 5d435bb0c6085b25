import { describe, expect, it } from 'vitest'
import { AuthenticationError, NoAcceptableMethodError, NoMethodsError, VersionError } from '@it-socks/protocol'
import { authenticate, none, usernamePassword, users, type ServerMethod } from '@it-socks/auth'
import { frames, handshake, pipe } from '@it-socks/stage'
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

  it('refuses wrong credentials', async () => {
    const script = [client`05 01 02`, server`05 02`, client`01 05 ${'alice'} 05 ${'wrong'}`, server`01 01`]
    await expect(serve([withPassword], script)).rejects.toThrow(AuthenticationError)
  })

  it('answers 0xFF where no method fits', async () => {
    await expect(serve([withPassword], [client`05 01 00`, server`05 ff`])).rejects.toThrow(NoAcceptableMethodError)
  })

  it('answers 0xFF to a greeting of no methods', async () => {
    await expect(serve([none()], [client`05 00`, server`05 ff`])).rejects.toThrow(NoMethodsError)
  })

  it('says nothing to a client that does not speak SOCKS5', async () => {
    await expect(serve([none()], [client`${'GET / HTTP/1.1'}`])).rejects.toThrow(VersionError)
  })
})
