import { describe, expect, it } from 'vitest'
import {
  AddressTypeError,
  InvalidAddressError,
  ProxyClosedError,
  ReservedError,
  TooLongError,
  TruncatedError,
  VersionError,
  type Address,
  type RefusalName
} from '@it-socks/protocol'
import { login, none } from '@it-socks/auth'
import { ask } from '@it-socks/command'
import { frames, handshake, pipe, type ByteDuplex } from '@it-socks/stage'
import { client, play, playOnce, server, cutAt, type Line } from '@it-socks/testing'

const greeted = [client`05 01 00`, server`05 00`]
const request = client`05 01 00 03 0b ${'example.com'} 0050`
const destination = { host: 'example.com', port: 80 }

const enter = (duplex: ByteDuplex, to: Address = destination) =>
  pipe(duplex, frames(), login([none()]), ask({ command: 'connect', destination: to }), handshake(duplex))

/** Plays the proxy to `ask`, from the request on; what comes of it is BND.ADDR and BND.PORT. */
const asked = (script: readonly Line[], to?: Address) =>
  play({
    script: [...greeted, ...script],
    testing: 'client',
    run: async (duplex) => (await enter(duplex, to)).context.bound
  })

describe('ask', () => {
  it.each([
    { type: 'IPv4', line: server`05 00 00 01 c0000201 1f90`, host: '192.0.2.1' },
    { type: 'IPv6', line: server`05 00 00 04 20010db8000000000000000000000001 1f90`, host: '2001:db8::1' },
    { type: 'domain', line: server`05 00 00 03 05 ${'proxy'} 1f90`, host: 'proxy' }
  ])('is granted, with a BND.ADDR of type $type', async ({ line, host }) => {
    expect(await asked([request, line])).toEqual({ host, port: 8080 })
  })

  it.each([
    { to: { host: '192.0.2.9', port: 80 }, line: client`05 01 00 01 c0000209 0050` },
    { to: { host: '2001:db8::9', port: 80 }, line: client`05 01 00 04 20010db8000000000000000000000009 0050` },
    { to: { host: 'x'.repeat(255), port: 80 }, line: client`05 01 00 03 ff ${'x'.repeat(255)} 0050` }
  ])('asks for $to.host by its own address type', async ({ to, line }) => {
    const script = [line, server`05 00 00 01 00000000 0000`]
    expect(await asked(script, to)).toEqual({ host: '0.0.0.0', port: 0 })
  })

  it('asks for BIND and UDP ASSOCIATE', async () => {
    const run = async (duplex: ByteDuplex, command: 'bind' | 'udpAssociate') =>
      (await pipe(duplex, frames(), login([none()]), ask({ command, destination }), handshake(duplex))).context.bound
    const answer = server`05 00 00 01 c0000201 1f90`
    for (const [command, line] of [
      ['bind', client`05 02 00 03 0b ${'example.com'} 0050`],
      ['udpAssociate', client`05 03 00 03 0b ${'example.com'} 0050`]
    ] as const) {
      const script = [...greeted, line, answer]
      expect(await play({ script, testing: 'client', run: (duplex) => run(duplex, command) })).toMatchObject({
        port: 8080
      })
    }
  })

  it('keeps what comes glued to the reply', async () => {
    const run = async (duplex: ByteDuplex) => {
      const { duplex: tunnel } = await enter(duplex)
      let text = ''
      for await (const bytes of tunnel.source) text += new TextDecoder().decode(bytes.subarray())
      return text
    }
    const script = [...greeted, request, server`05 00 00 01 c0000201 1f90 ${'220 ready'}`, server`${'\r\n'}`]
    expect(await play({ script, testing: 'client', run })).toBe('220 ready\r\n')
  })
})

describe('ask, refused', () => {
  const refusals: [number, RefusalName][] = [
    [1, 'general-failure'],
    [2, 'not-allowed'],
    [3, 'network-unreachable'],
    [4, 'host-unreachable'],
    [5, 'connection-refused'],
    [6, 'ttl-expired'],
    [7, 'command-not-supported'],
    [8, 'address-type-not-supported'],
    // Tor's, for onion services.
    [0xf0, 'onion-descriptor-not-found'],
    [0xf1, 'onion-descriptor-invalid'],
    [0xf2, 'onion-introduction-failed'],
    [0xf3, 'onion-rendezvous-failed'],
    [0xf4, 'onion-client-authorization-missing'],
    [0xf5, 'onion-client-authorization-wrong'],
    [0xf6, 'onion-address-invalid'],
    [0xf7, 'onion-introduction-timed-out']
  ]

  it.each(refusals)('says what REP %d says: %s', async (rep, name) => {
    const refused = asked([request, server`05 ${Uint8Array.of(rep)} 00 01 00000000 0000`])
    const code = `ERR_SOCKS_${name.toUpperCase().replaceAll('-', '_')}`
    await expect(refused).rejects.toMatchObject({ name: 'RefusedError', reply: name, code })
  })

  it.each([9, 0x5b, 0xef, 0xf8, 0xff])('names a REP that nobody assigned: %d', async (rep) => {
    const refused = asked([request, server`05 ${Uint8Array.of(rep)} 00 01 00000000 0000`])
    await expect(refused).rejects.toMatchObject({ name: 'UnassignedReplyError', rep })
  })

  it.each([
    { how: 'stops after REP', line: server`05 05`, cause: TruncatedError },
    { how: 'stops after RSV', line: server`05 05 00`, cause: TruncatedError },
    { how: 'stops in BND.ADDR', line: server`05 05 00 01 00`, cause: TruncatedError },
    { how: 'has an ATYP of 0', line: server`05 05 00 00`, cause: AddressTypeError },
    { how: 'has an RSV that is not 0', line: server`05 05 01`, cause: ReservedError }
  ])('takes the refusal for one even if the answer $how', async ({ line, cause }) => {
    const refused = asked([request, line])
    await expect(refused).rejects.toMatchObject({ name: 'RefusedError', reply: 'connection-refused' })
    await expect(refused).rejects.toMatchObject({ cause: expect.any(cause) })
  })

  it('keeps the cause with an unassigned REP in a short answer', async () => {
    const refused = asked([request, server`05 63`])
    await expect(refused).rejects.toMatchObject({
      name: 'UnassignedReplyError',
      rep: 0x63,
      cause: expect.any(TruncatedError)
    })
  })
})

describe('ask, not answered', () => {
  it('names a proxy that closes instead', async () => {
    await expect(asked([request])).rejects.toThrow(ProxyClosedError)
  })

  it('names a proxy that stops after VER', async () => {
    await expect(asked([request, server`05`])).rejects.toThrow(TruncatedError)
  })

  it('does not take a success for one where the rest of it is malformed', async () => {
    await expect(asked([request, server`05 00`])).rejects.toThrow(TruncatedError)
    await expect(asked([request, server`05 00 01`])).rejects.toThrow(ReservedError)
    await expect(asked([request, server`05 00 00 02`])).rejects.toThrow(AddressTypeError)
  })

  it('names an answer that is none', async () => {
    await expect(asked([request, server`${'HTTP/1.1 502 Bad Gateway'}`])).rejects.toThrow(VersionError)
    await expect(asked([request, server`00 5a 00 00 00 00 00 00`])).rejects.toThrow(VersionError)
  })
})

describe('ask for what cannot be asked for', () => {
  it.each([
    { what: 'a domain of more than 255 bytes', to: { host: 'ё'.repeat(128), port: 80 }, error: TooLongError },
    { what: 'a port that is none', to: { host: 'example.com', port: 65536 }, error: InvalidAddressError }
  ])('says nothing at all for $what', async ({ to, error }) => {
    const run = (duplex: ByteDuplex) => enter(duplex, to)
    await expect(playOnce({ script: [], testing: 'client', run }, cutAt())).rejects.toThrow(error)
  })
})
