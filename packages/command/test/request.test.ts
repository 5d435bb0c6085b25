import { describe, expect, it } from 'vitest'
import {
  AddressTypeError,
  CommandError,
  EmptyNameError,
  ReservedError,
  TextError,
  TruncatedError,
  VersionError
} from '@it-socks/protocol'
import { authenticate, none } from '@it-socks/auth'
import { request } from '@it-socks/command'
import { frames, handshake, pipe, type ByteDuplex } from '@it-socks/stage'
import { client, play, playOnce, server, type Line } from '@it-socks/testing'

const greeted = [client`05 01 00`, server`05 00`]

/** What `authenticate` and `request` make of the connection. */
const run = async (duplex: ByteDuplex) =>
  (await pipe(duplex, frames(), authenticate([none()]), request(), handshake(duplex))).context.request

/** Plays the client to `request`; what comes of it is the request. */
const serve = (...script: Line[]) => play({ script: [...greeted, ...script], testing: 'server', run })

describe('request', () => {
  it.each([
    { what: 'an IPv4 address', line: client`05 01 00 01 c0000201 0050`, host: '192.0.2.1' },
    { what: 'an IPv6 address', line: client`05 01 00 04 20010db8000000000000000000000001 0050`, host: '2001:db8::1' },
    { what: 'a domain', line: client`05 01 00 03 0b ${'example.com'} 0050`, host: 'example.com' },
    { what: 'an address that comes as a domain', line: client`05 01 00 03 09 ${'127.0.0.1'} 0050`, host: '127.0.0.1' }
  ])('reads $what', async ({ line, host }) => {
    expect(await serve(line)).toEqual({ command: 'connect', destination: { host, port: 80 } })
  })

  it('reads a domain of 255 bytes', async () => {
    const host = 'x'.repeat(255)
    expect(await serve(client`05 01 00 03 ff ${host} ffff`)).toMatchObject({ destination: { host, port: 65535 } })
  })

  it('reads BIND and UDP ASSOCIATE', async () => {
    expect(await serve(client`05 02 00 01 c0000201 0050`)).toMatchObject({ command: 'bind' })
    expect(await serve(client`05 03 00 01 00000000 0000`)).toMatchObject({ command: 'udpAssociate' })
  })

  it.each([
    { malformed: 'another version', line: client`04 01`, rep: server`05 01 00 01 00000000 0000`, error: VersionError },
    { malformed: 'an unknown CMD', line: client`05 04`, rep: server`05 07 00 01 00000000 0000`, error: CommandError },
    { malformed: 'CMD 0', line: client`05 00`, rep: server`05 07 00 01 00000000 0000`, error: CommandError },
    { malformed: 'RSV not 0', line: client`05 01 01`, rep: server`05 01 00 01 00000000 0000`, error: ReservedError },
    {
      malformed: 'an unknown ATYP',
      line: client`05 01 00 02`,
      rep: server`05 08 00 01 00000000 0000`,
      error: AddressTypeError
    },
    {
      malformed: 'a domain of no bytes',
      line: client`05 01 00 03 00`,
      rep: server`05 01 00 01 00000000 0000`,
      error: EmptyNameError
    },
    {
      malformed: 'a domain with a NUL in it',
      line: client`05 01 00 03 04 ${'a\u0000.b'}`,
      rep: server`05 01 00 01 00000000 0000`,
      error: TextError
    },
    {
      malformed: 'a domain that is not UTF-8',
      line: client`05 01 00 03 02 c3 28`,
      rep: server`05 01 00 01 00000000 0000`,
      error: TextError
    }
  ])('refuses $malformed as soon as it sees it', async ({ line, rep, error }) => {
    await expect(serve(line, rep)).rejects.toThrow(error)
  })

  it('refuses a request that ends early, wherever that is', async () => {
    const whole = client`05 01 00 03 0b ${'example.com'} 0050`.bytes
    for (let length = 0; length < whole.length; length++) {
      const script = [...greeted, client`${whole.slice(0, length)}`, server`05 01 00 01 00000000 0000`]
      // Glued, for the client says no more: it is gone when the reply comes.
      const chunking = { name: 'glued', glued: true, cutBefore: () => false }
      await expect(playOnce({ script, testing: 'server', run }, chunking)).rejects.toThrow(TruncatedError)
    }
  })

  it('comes after authenticate: a greeting is no request', async () => {
    const alone = (duplex: ByteDuplex) => pipe(duplex, frames(), request(), handshake(duplex))
    const served = play({ script: [client`05 01 03`], testing: 'server', run: alone })
    await expect(served).rejects.toThrow(ReservedError)
  })
})
