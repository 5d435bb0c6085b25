import { describe, expect, it } from 'vitest'
import {
  AuthenticationError,
  EmptyNameError,
  InvalidAddressError,
  ProxyClosedError,
  RefusedError,
  TextError,
  TooLongError,
  TruncatedError,
  UnassignedReplyError,
  VersionError,
  type Address
} from '@it-socks/protocol'
import { accepted4, ask4, type Ask4Options } from '@it-socks/socks4'
import { compose, frames, handshake, observe, pipe, type Granted } from '@it-socks/stage'
import { client, duplexPair, play, server, type Line } from '@it-socks/testing'

const destination = { host: '192.0.2.1', port: 80 }
const asked = client`04 01 0050 c0000201 00`

/** Plays the proxy to `ask4`; what comes of it is the address that it bound. */
const ask = (script: readonly Line[], to: Address = destination, options?: Ask4Options) =>
  play({
    script,
    testing: 'client',
    run: async (duplex) => {
      const stage = ask4({ command: 'connect', destination: to }, options)
      return (await pipe(duplex, frames(), stage, handshake(duplex))).context.bound
    }
  })

const granted = server`00 5a 0fa0 c0000207`
const bound = { host: '192.0.2.7', port: 4000 }

describe('ask4', () => {
  it('asks for an IPv4 address, with a user id and without', async () => {
    expect(await ask([asked, granted])).toEqual(bound)
    expect(await ask([client`04 01 0050 c0000201 ${'alice'} 00`, granted], destination, { userId: 'alice' })).toEqual(
      bound
    )
  })

  it.each([
    ['a domain', 'example.com', 'example.com'],
    ['an IPv6 address', '2001:DB8::1', '2001:db8::1'],
    ['an IPv6 address of a zone that is known here only', 'fe80::1%eth0', 'fe80::1'],
    ['an address that would stand for a domain', '0.0.0.5', '0.0.0.5']
  ])('asks for %s as SOCKS4a does', async (_, host, name) => {
    const line = client`04 01 01bb 00000001 ${'alice'} 00 ${name} 00`
    expect(await ask([line, granted], { host, port: 443 }, { userId: 'alice' })).toEqual(bound)
  })

  it('asks for an IPv4 address that is mapped into IPv6 as what it is', async () => {
    expect(await ask([asked, granted], { host: '::ffff:192.0.2.1', port: 80 }, { version: '4' })).toEqual(bound)
  })

  it('takes a reply of version 4, too: some proxies send it', async () => {
    expect(await ask([asked, server`04 5a 0fa0 c0000207`])).toEqual(bound)
  })

  it('leaves what comes glued to the reply to the stage after it', async () => {
    const banner = await play({
      script: [asked, granted, server`${'banner'}`],
      testing: 'client',
      run: async (near) => {
        const stage = ask4({ command: 'connect', destination })
        const { duplex } = await pipe(near, frames(), stage, handshake(near))
        let text = ''
        for await (const bytes of duplex.source) text += new TextDecoder().decode(bytes.subarray())
        await duplex.sink((async function* () {})())
        return text
      }
    })
    expect(banner).toBe('banner')
  })
})

describe('ask4, where the proxy says no', () => {
  it('has a name for the one reply that stands for all', async () => {
    const refused = ask([asked, server`00 5b 0000 00000000`])
    await expect(refused).rejects.toThrow(RefusedError)
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_SOCKS_GENERAL_FAILURE',
      reply: 'general-failure',
      message: expect.stringContaining('SOCKS4 does not tell')
    })
  })

  it.each([
    [server`00 5c 0000 00000000`, 'identd'],
    [server`00 5d 0000 00000000`, 'refuses the user id']
  ])('tells what became of the user id: $0.bytes', async (line, message) => {
    await expect(ask([asked, line])).rejects.toThrow(AuthenticationError)
    await expect(ask([asked, line])).rejects.toThrow(message)
  })

  it.each([0, 0x59, 0x5e, 0xff])('names a reply that SOCKS4 does not know, %i', async (cd) => {
    const refused = ask([asked, server`00 ${Uint8Array.of(cd)} 0000 00000000`])
    await expect(refused).rejects.toThrow(UnassignedReplyError)
    await expect(refused).rejects.toMatchObject({ rep: cd })
  })

  it.each([server`00 5b`, server`00 5b 00`, server`00 5b 0000 000000`])(
    'takes a refusal that is cut short for what it is: $bytes',
    async (line) => {
      const refused = ask([asked, line])
      await expect(refused).rejects.toThrow(RefusedError)
      await expect(refused).rejects.toHaveProperty('cause.name', 'TruncatedError')
    }
  )

  it.each([server`00`, server`00 5a`, server`00 5a 0fa0 c00002`])(
    'does not take a grant that is cut short for one: $bytes',
    async (line) => {
      await expect(ask([asked, line])).rejects.toThrow(TruncatedError)
    }
  )

  it('names a proxy that closes instead', async () => {
    await expect(ask([asked])).rejects.toThrow(ProxyClosedError)
    await expect(ask([asked])).rejects.toThrow('instead of answering with a SOCKS4 reply')
  })

  it.each([server`05 ff`, server`${'HTTP/1.1 400 Bad Request'}`])(
    'names a proxy that speaks something else: $bytes',
    async (line) => {
      await expect(ask([asked, line])).rejects.toThrow(VersionError)
      await expect(ask([asked, line])).rejects.toThrow('VN must be 0x00 or 0x04')
    }
  )

  it('fails with the reason of the signal while it waits for the reply', async () => {
    const owner = new AbortController()
    const [near, far] = duplexPair()
    const stage = ask4({ command: 'connect', destination })
    const asking = pipe(near, frames({ signal: owner.signal }), stage, handshake(near, { linger: 0 }))
    const heard = far.source[Symbol.asyncIterator]()
    expect((await heard.next()).value?.subarray()).toEqual(asked.bytes)
    const reason = new Error('enough')
    owner.abort(reason)
    await expect(asking).rejects.toBe(reason)
  })
})

describe('ask4, for what cannot be sent', () => {
  const asking = (host: string, options?: Ask4Options) => () =>
    ask4({ command: 'connect', destination: { host, port: 80 } }, options)

  it.each(['a'.repeat(256), 'é'.repeat(128)])('throws at once for a domain of 256 bytes', (host) => {
    expect(asking(host)).toThrow(TooLongError)
  })

  it.each(['u'.repeat(256), 'é'.repeat(128)])('throws at once for a user id of 256 bytes', (userId) => {
    expect(asking('192.0.2.1', { userId })).toThrow(TooLongError)
  })

  it('throws at once for a NUL, which would end the text', () => {
    expect(asking('a\u0000.example')).toThrow(TextError)
    expect(asking('192.0.2.1', { userId: 'alice\u0000' })).toThrow(TextError)
  })

  it('throws at once for no host, and no port', () => {
    expect(asking('')).toThrow(EmptyNameError)
    const nowhere = { host: '192.0.2.1', port: 65_536 }
    expect(() => ask4({ command: 'connect', destination: nowhere })).toThrow(InvalidAddressError)
  })

  it.each(['example.com', '2001:db8::1', '127.1'])('throws at once for %s where the proxy knows IPv4 only', (host) => {
    expect(asking(host, { version: '4' })).toThrow(InvalidAddressError)
    expect(asking(host, { version: '4' })).toThrow(`${host} is not an IPv4 address`)
  })
})

describe('a BIND', () => {
  const request = client`04 02 0014 c0000209 ${'alice'} 00`

  const bind = (script: readonly Line[]) =>
    play({
      script,
      testing: 'client',
      run: async (duplex) => {
        const told: Address[] = []
        const stage = compose(
          ask4({ command: 'bind', destination: { host: '192.0.2.9', port: 20 } }, { userId: 'alice' }),
          observe<Granted>(({ bound }) => told.push(bound)),
          accepted4()
        )
        const { context } = await pipe(duplex, frames(), stage, handshake(duplex))
        return [...told, context.bound]
      }
    })

  const first = server`00 5a 0fa0 c0000207`

  it('has two replies: where to connect, and who connected', async () => {
    expect(await bind([request, first, server`00 5a d431 c0000209`])).toEqual([
      bound,
      { host: '192.0.2.9', port: 54_321 }
    ])
  })

  it('is refused by the first', async () => {
    await expect(bind([request, server`00 5b 0000 00000000`])).rejects.toThrow(RefusedError)
  })

  it('is refused by the second, where nobody came', async () => {
    await expect(bind([request, first, server`00 5b 0000 00000000`])).rejects.toThrow(RefusedError)
  })

  it('is over where the proxy closes before anybody came', async () => {
    await expect(bind([request, first])).rejects.toThrow(ProxyClosedError)
  })

  it('does not take half a second reply for one', async () => {
    await expect(bind([request, first, server`00 5a d431`])).rejects.toThrow(TruncatedError)
  })
})
