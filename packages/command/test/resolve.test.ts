import { describe, expect, it } from 'vitest'
import { RefusedError, RuleError, UnresolvableError } from '@it-socks/protocol'
import { authenticate, login, none } from '@it-socks/auth'
import { ask, command, request, resolve, resolvePtr, type Commanded, type CommandHandler } from '@it-socks/command'
import { relay } from '@it-socks/relay'
import { frames, handshake, pipe, stage, type Authorized, type Permit, type Resolve } from '@it-socks/stage'
import { client, duplexPair, play, server, type Line } from '@it-socks/testing'

const greeted = [client`05 01 00`, server`05 00`]

interface Scene {
  handlers: Partial<Record<'resolve' | 'resolvePtr', CommandHandler<Commanded & Partial<Authorized>>>>
  permit?: Permit
}

/** Plays the client to a server that resolves; what comes of it are the bytes relayed: none, once it is over. */
const serve = (script: readonly Line[], { handlers, permit }: Scene) => {
  const rules = stage<unknown, Partial<Authorized>>(async function* () {
    return permit === undefined ? {} : { permit }
  })
  return play({
    script: [...greeted, ...script],
    testing: 'server',
    run: (duplex) =>
      pipe(duplex, frames(), authenticate([none()]), request(), rules, command(handlers), relay(duplex, { linger: 0 }))
  })
}

const nowhere = new UnresolvableError('nowhere.example')
const table: Resolve = async (host) => {
  if (host === 'nowhere.example') throw nowhere
  return ['192.0.2.9', '2001:db8::9']
}
const nothing = { up: 0, down: 0 }

describe('resolve', () => {
  const handlers = { resolve: resolve(table) }

  it('answers with the first address, and is over', async () => {
    const script = [client`05 f0 00 03 0b ${'example.com'} 0000`, server`05 00 00 01 c0000209 0000`]
    expect(await serve(script, { handlers })).toEqual(nothing)
  })

  it('answers with an IPv6 address where that is the first', async () => {
    const script = [
      client`05 f0 00 03 0b ${'example.com'} 0050`,
      server`05 00 00 04 20010db8000000000000000000000009 0000`
    ]
    expect(await serve(script, { handlers: { resolve: resolve(async () => ['2001:db8::9']) } })).toEqual(nothing)
  })

  it('answers with an address that is one already, and asks nobody', async () => {
    const script = [client`05 f0 00 03 09 ${'192.0.2.7'} 0000`, server`05 00 00 01 c0000207 0000`]
    const asked = (): Promise<never> => Promise.reject(new Error('nobody may be asked'))
    expect(await serve(script, { handlers: { resolve: resolve(asked) } })).toEqual(nothing)
  })

  it('does not care what the client says afterwards', async () => {
    const script = [
      client`05 f0 00 03 0b ${'example.com'} 0000`,
      server`05 00 00 01 c0000209 0000`,
      client`${'GET / HTTP/1.1'}`
    ]
    expect(await serve(script, { handlers })).toEqual(nothing)
  })

  it('answers "host unreachable" for a name that has no address', async () => {
    const script = [client`05 f0 00 03 0f ${'nowhere.example'} 0000`, server`05 04 00 01 00000000 0000`]
    await expect(serve(script, { handlers })).rejects.toBe(nowhere)
    await expect(serve(script, { handlers: { resolve: resolve(async () => []) } })).rejects.toThrow(UnresolvableError)
  })

  it('tells only what the rules permit', async () => {
    const permit: Permit = ({ host }, name) => {
      if (host === '192.0.2.9') throw new RuleError('a rule', `${name} at ${host}`)
    }
    const script = [
      client`05 f0 00 03 0b ${'example.com'} 0000`,
      server`05 00 00 04 20010db8000000000000000000000009 0000`
    ]
    expect(await serve(script, { handlers, permit })).toEqual(nothing)
  })

  it('tells nothing where the rules permit none', async () => {
    const permit: Permit = ({ host }, name) => {
      throw new RuleError('a rule', `${name} at ${host}`)
    }
    const script = [client`05 f0 00 03 0b ${'example.com'} 0000`, server`05 02 00 01 00000000 0000`]
    await expect(serve(script, { handlers, permit })).rejects.toThrow('example.com at 192.0.2.9 is not allowed: a rule')
  })
})

describe('resolvePtr', () => {
  const handlers = { resolvePtr: resolvePtr(async (ip) => `${ip.length}.example`) }

  it.each([
    { type: 'IPv4', line: client`05 f1 00 01 c0000209 0000`, answer: server`05 00 00 03 09 ${'9.example'} 0000` },
    {
      type: 'IPv6',
      line: client`05 f1 00 04 20010db8000000000000000000000009 0000`,
      answer: server`05 00 00 03 0a ${'11.example'} 0000`
    }
  ])('answers with the name of an address of type $type, and is over', async ({ line, answer }) => {
    expect(await serve([line, answer], { handlers })).toEqual(nothing)
  })

  it('has no answer for a name', async () => {
    const script = [client`05 f1 00 03 0b ${'example.com'} 0000`, server`05 08 00 01 00000000 0000`]
    await expect(serve(script, { handlers })).rejects.toThrow(RefusedError)
  })

  it('answers "host unreachable" for an address without a name, or with one that is an address', async () => {
    const script = [client`05 f1 00 01 c0000209 0000`, server`05 04 00 01 00000000 0000`]
    const nameless = resolvePtr(() => Promise.reject(new UnresolvableError('192.0.2.9')))
    await expect(serve(script, { handlers: { resolvePtr: nameless } })).rejects.toThrow(UnresolvableError)
    const strange = resolvePtr(async () => '127.0.0.1')
    await expect(serve(script, { handlers: { resolvePtr: strange } })).rejects.toThrow(UnresolvableError)
  })

  it('refuses where a name cannot be written', async () => {
    const script = [client`05 f1 00 01 c0000209 0000`, server`05 01 00 01 00000000 0000`]
    const long = resolvePtr(async () => 'x'.repeat(256))
    await expect(serve(script, { handlers: { resolvePtr: long } })).rejects.toMatchObject({ name: 'TooLongError' })
  })

  it('looks up no address that the rules do not permit', async () => {
    const permit: Permit = ({ host }) => {
      throw new RuleError('a rule', host)
    }
    const script = [client`05 f1 00 01 c0000209 0000`, server`05 02 00 01 00000000 0000`]
    await expect(serve(script, { handlers, permit })).rejects.toThrow('192.0.2.9 is not allowed: a rule')
  })
})

describe('ask, for the answers of RESOLVE and RESOLVE_PTR', () => {
  const resolvers = command({ resolve: resolve(table), resolvePtr: resolvePtr(async () => 'a.example') })

  it.each([
    { what: 'resolve', host: 'example.com', answer: '192.0.2.9' },
    { what: 'resolvePtr', host: '192.0.2.9', answer: 'a.example' },
    { what: 'resolvePtr', host: '2001:db8::9', answer: 'a.example' }
  ] as const)('$what of $host is in bound.host', async ({ what, host, answer }) => {
    const [near, far] = duplexPair()
    const served = pipe(near, frames(), authenticate([none()]), request(), resolvers, relay(near))
    const asking = ask({ command: what, destination: { host, port: 0 } })
    const { context, duplex } = await pipe(far, frames(), login([none()]), asking, handshake(far))
    expect(context.bound).toEqual({ host: answer, port: 0 })

    const rest = duplex.source[Symbol.asyncIterator]()
    expect(await rest.next()).toMatchObject({ done: true })
    await duplex.sink((async function* () {})())
    expect(await served).toEqual(nothing)
  })
})
