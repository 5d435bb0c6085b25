import { describe, expect, it } from 'vitest'
import {
  AuthenticationError,
  ConfigurationError,
  EmptyNameError,
  NoAcceptableMethodError,
  ProxyClosedError,
  TooLongError,
  TruncatedError,
  UnofferedMethodError,
  VersionError
} from '@it-socks/protocol'
import { login, none, usernamePassword, type ClientMethod } from '@it-socks/auth'
import { frames, handshake, pipe } from '@it-socks/stage'
import { client, play, server, type Line } from '@it-socks/testing'

const asAlice = usernamePassword({ username: 'alice', password: 'open sesame' })

/** Plays the proxy to `login(methods)`; what comes of it is what the client knows of it. */
const enter = (methods: readonly ClientMethod[], script: readonly Line[]) =>
  play({
    script,
    testing: 'client',
    run: async (duplex) => (await pipe(duplex, frames(), login(methods), handshake(duplex))).context
  })

const credentials = client`01 05 ${'alice'} 0b ${'open sesame'}`

describe('login', () => {
  it('enters without authentication', async () => {
    expect(await enter([none()], [client`05 01 00`, server`05 00`])).toEqual({ method: 0 })
  })

  it('offers in the order given and runs what the proxy selects', async () => {
    const script = [client`05 02 00 02`, server`05 02`, credentials, server`01 00`]
    expect(await enter([none(), asAlice], script)).toEqual({ method: 2 })
  })

  it('keeps its credentials to itself where the proxy does not ask for them', async () => {
    expect(await enter([asAlice, none()], [client`05 02 02 00`, server`05 00`])).toEqual({ method: 0 })
  })

  it('is refused with 0xFF', async () => {
    const refused = enter([none(), asAlice], [client`05 02 00 02`, server`05 ff`])
    await expect(refused).rejects.toThrow(NoAcceptableMethodError)
  })

  it('does not follow a proxy to a method that it has not offered', async () => {
    await expect(enter([none()], [client`05 01 00`, server`05 02`])).rejects.toThrow(UnofferedMethodError)
    await expect(enter([asAlice], [client`05 01 02`, server`05 00`])).rejects.toThrow(UnofferedMethodError)
  })

  it('is refused for a wrong password, whatever the status says', async () => {
    for (const status of [server`01 01`, server`01 02`, server`01 ff`]) {
      const refused = enter([asAlice], [client`05 01 02`, server`05 02`, credentials, status])
      await expect(refused).rejects.toThrow(AuthenticationError)
      await expect(refused).rejects.toThrow(/alice(?!.*sesame)/)
    }
  })

  it('names a proxy that closes instead of selecting a method', async () => {
    const closed = enter([none()], [client`05 01 00`])
    await expect(closed).rejects.toThrow(ProxyClosedError)
    await expect(closed).rejects.toMatchObject({ cause: expect.any(TruncatedError) })
  })

  it('names a proxy that closes instead of answering the credentials', async () => {
    await expect(enter([asAlice], [client`05 01 02`, server`05 02`, credentials])).rejects.toThrow(ProxyClosedError)
  })

  it('names a proxy that resets the connection', async () => {
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      throw reset
    }
    const entered = play({
      script: [client`05 01 00`],
      testing: 'client',
      run: (duplex) => pipe(broken(), frames(), login([none()]), handshake(duplex))
    })
    await expect(entered).rejects.toMatchObject({ name: 'ProxyClosedError', cause: reset })
  })

  it('names an answer that ends half-way', async () => {
    await expect(enter([none()], [client`05 01 00`, server`05`])).rejects.toThrow(TruncatedError)
    const script = [client`05 01 02`, server`05 02`, credentials, server`01`]
    await expect(enter([asAlice], script)).rejects.toThrow(TruncatedError)
  })

  it('names a peer that is no SOCKS5 proxy', async () => {
    const answered = enter([none()], [client`05 01 00`, server`${'HTTP/1.1 400 Bad Request'}`])
    await expect(answered).rejects.toThrow(VersionError)
    await expect(answered).rejects.toThrow(/HTTP/)
    await expect(enter([none()], [client`05 01 00`, server`00 5b 00 00 00 00 00 00`])).rejects.toThrow(VersionError)
  })

  it('names a proxy that answers credentials in another version', async () => {
    const script = [client`05 01 02`, server`05 02`, credentials, server`05 00`]
    await expect(enter([asAlice], script)).rejects.toThrow(VersionError)
  })
})

describe('login, put together wrongly', () => {
  it('needs methods, and such that can be told apart', () => {
    expect(() => login([])).toThrow(ConfigurationError)
    expect(() => login([asAlice, asAlice])).toThrow(ConfigurationError)
  })

  it('does not come to greet with credentials that cannot be sent', () => {
    const long = 'ё'.repeat(128)
    expect(() => usernamePassword({ username: 'alice', password: long })).toThrow(TooLongError)
    expect(() => usernamePassword({ username: long, password: 'pw' })).toThrow(TooLongError)
    expect(() => usernamePassword({ username: '', password: 'pw' })).toThrow(EmptyNameError)
  })

  it('does not tell the password that is too long', () => {
    const long = 'hunter2'.repeat(40)
    expect(() => usernamePassword({ username: 'alice', password: long })).toThrow(
      expect.objectContaining({ message: 'PASSWD has 280 bytes, and 255 is the most it can have' })
    )
  })
})
