import { describe, expectTypeOf, it } from 'vitest'
import type { Address, Request } from '@it-socks/protocol'
import { authenticate, login, none, usernamePassword, users, type User } from '@it-socks/auth'
import { ask, command, connect, request } from '@it-socks/command'
import { relay, type Traffic } from '@it-socks/relay'
import {
  compose,
  deadline,
  frames,
  handshake,
  observe,
  pipe,
  stage,
  type Authenticated,
  type Authorized,
  type ByteDuplex,
  type Bytes,
  type Dial,
  type Established,
  type Granted,
  type LoggedIn,
  type Requested,
  type Stage,
  type Tunnel,
  type Tunnelled
} from '@it-socks/stage'

declare const connection: ByteDuplex
declare const bytes: AsyncIterable<Bytes>
declare const dial: Dial

const connecting = command({ connect: connect(dial) })
const only = stage<Requested, { allowed: true }>(async function* () {
  return { allowed: true }
})
const count = stage<unknown, { count: number }>(async function* () {
  return { count: 1 }
})

/** Shows a type as one object, so that `A & B` and its fields written out are one type. */
type Flat<T> = { [K in keyof T]: T[K] }
type ContextOf<E> = E extends Promise<Established<infer Context>> ? Flat<Context> : never

/** What a stage needs of its context, and what it adds. */
type NeedsOf<S> = S extends Stage<infer Needs, infer _> ? Flat<Needs> : never
type AddsOf<S> = S extends Stage<infer _, infer Adds> ? Flat<Adds> : never

describe('a pipeline in its right order', () => {
  it('is a proxy', () => {
    const traffic = pipe(connection, frames(), authenticate([none()]), request(), connecting, relay(connection))
    expectTypeOf(traffic).toEqualTypeOf<Promise<Traffic>>()
  })

  it('knows at its end all that its stages found out', () => {
    const established = pipe(
      bytes,
      frames(),
      authenticate([none()]),
      request(),
      only,
      connecting,
      handshake(connection)
    )
    expectTypeOf<ContextOf<typeof established>>().toEqualTypeOf<{
      readonly identity: { readonly method: 'none' }
      readonly request: Request
      readonly grant: (bound: Address) => Bytes
      allowed: true
      readonly tunnel: Tunnel
    }>()
  })

  it('keeps the identity of the methods that it was given', () => {
    const methods = [usernamePassword({ verify: users({}) })]
    const established = pipe(bytes, frames(), authenticate(methods), handshake(connection))
    expectTypeOf<ContextOf<typeof established>>().toEqualTypeOf<{ readonly identity: User }>()
  })

  it('keeps the context that it starts with', () => {
    const start = frames({ context: { listener: 'tcp' } })
    const established = pipe(bytes, start, count, handshake(connection))
    expectTypeOf<ContextOf<typeof established>>().toEqualTypeOf<{ listener: string; count: number }>()
  })

  it('is a client', () => {
    const asking = ask({ command: 'connect', destination: { host: 'example.com', port: 80 } })
    const established = pipe(bytes, frames(), login([none()]), asking, handshake(connection))
    expectTypeOf<ContextOf<typeof established>>().toEqualTypeOf<{
      readonly method: number
      readonly bound: Address
    }>()
    expectTypeOf(asking).toEqualTypeOf<Stage<LoggedIn, Granted>>()
  })

  it('has room for eight steps after the head', () => {
    const all = pipe(
      bytes,
      frames(),
      authenticate([none()]),
      request(),
      only,
      count,
      observe<Requested>(({ request }) => request.command),
      connecting,
      handshake(connection)
    )
    expectTypeOf<keyof ContextOf<typeof all>>().toEqualTypeOf<
      'identity' | 'request' | 'grant' | 'allowed' | 'count' | 'tunnel'
    >()
  })
})

describe('a pipeline in a wrong order does not compile', () => {
  it('without authentication', () => {
    // @ts-expect-error command needs Authenticated
    pipe(connection, frames(), request(), connecting, relay(connection))
  })

  it('without a request', () => {
    // @ts-expect-error command needs Requested
    pipe(connection, frames(), authenticate([none()]), connecting, relay(connection))
  })

  it('with the command before the request', () => {
    // @ts-expect-error command needs Requested
    pipe(connection, frames(), authenticate([none()]), connecting, request(), relay(connection))
  })

  it('with the command before authentication', () => {
    // @ts-expect-error command needs Authenticated
    pipe(connection, frames(), request(), connecting, authenticate([none()]), relay(connection))
  })

  it('without a command before the relay', () => {
    // @ts-expect-error relay needs Tunnelled
    pipe(connection, frames(), authenticate([none()]), request(), relay(connection))
  })

  it('without frames', () => {
    // @ts-expect-error authenticate needs steps, not bytes
    pipe(connection, authenticate([none()]), request(), connecting, relay(connection))
  })

  it('with a stage of one’s own before what it needs', () => {
    // @ts-expect-error only needs Requested
    pipe(connection, frames(), authenticate([none()]), only, request(), connecting, relay(connection))
  })

  it('with an observer before what it looks at', () => {
    const look = observe<Authenticated>(({ identity }) => identity.method)
    // @ts-expect-error look needs Authenticated
    pipe(connection, frames(), look, authenticate([none()]), request(), connecting, relay(connection))
  })

  it('with a deadline around a stage before what that needs', () => {
    const limited = deadline('the rules', 1000, only)
    // @ts-expect-error limited needs Requested
    pipe(connection, frames(), authenticate([none()]), limited, request(), connecting, relay(connection))
  })

  it('with a request before the login', () => {
    const asking = ask({ command: 'connect', destination: { host: 'example.com', port: 80 } })
    // @ts-expect-error ask needs LoggedIn
    pipe(connection, frames(), asking, login([none()]), handshake(connection))
  })

  it('where a context has the name that is needed, but not its type', () => {
    const wrong = frames({ context: { identity: 'alice' } })
    // @ts-expect-error identity is a string
    pipe(connection, wrong, request(), connecting, relay(connection))
  })
})

describe('compose', () => {
  it('adds what its stages add, and needs nothing where they have it among them', () => {
    const negotiate = compose(authenticate([none()]), request(), only, connecting)
    expectTypeOf<NeedsOf<typeof negotiate>>().toEqualTypeOf<Flat<Partial<Authorized>>>()
    expectTypeOf<AddsOf<typeof negotiate>>().toEqualTypeOf<{
      readonly identity: { readonly method: 'none' }
      readonly request: Request
      readonly grant: (bound: Address) => Bytes
      allowed: true
      readonly tunnel: Tunnel
    }>()
    expectTypeOf(pipe(connection, frames(), negotiate, relay(connection))).toEqualTypeOf<Promise<Traffic>>()
  })

  it('needs nothing at all where nothing is missing: it is a stage like any that needs nothing', () => {
    expectTypeOf(compose(authenticate([none()]), request())).toExtend<Stage<unknown, Authenticated & Requested>>()
    expectTypeOf(compose(request(), only)).toExtend<Stage<unknown, Requested>>()
    expectTypeOf(compose(only, request())).not.toExtend<Stage<unknown, Requested>>()
  })

  it('needs what none of its stages adds', () => {
    const tail = compose(request(), connecting)
    expectTypeOf<NeedsOf<typeof tail>>().toEqualTypeOf<Flat<Authenticated & Partial<Authorized>>>()
    expectTypeOf<AddsOf<typeof tail>>().toEqualTypeOf<Flat<Requested & Tunnelled>>()
  })

  it('needs what a stage adds too late', () => {
    const backwards = compose(only, request())
    expectTypeOf<NeedsOf<typeof backwards>>().toEqualTypeOf<Flat<Requested>>()
    // @ts-expect-error only needs Requested
    pipe(connection, frames(), backwards, handshake(connection))
  })

  it('does not compile in a pipeline that lacks what it needs', () => {
    const tail = compose(request(), connecting)
    pipe(connection, frames(), authenticate([none()]), tail, relay(connection))
    // @ts-expect-error tail needs Authenticated
    pipe(connection, frames(), tail, relay(connection))
    // @ts-expect-error within a deadline, too
    pipe(connection, frames(), deadline('the handshake', 1000, tail), relay(connection))
  })

  it('keeps the context of the stages before it', () => {
    const established = pipe(bytes, frames(), count, compose(authenticate([none()]), request()), handshake(connection))
    expectTypeOf<keyof ContextOf<typeof established>>().toEqualTypeOf<'count' | 'identity' | 'request' | 'grant'>()
  })

  it('can be composed again, what is missing adds up', () => {
    const inner = compose(only, count)
    const outer = compose(inner, connecting)
    expectTypeOf<NeedsOf<typeof outer>>().toEqualTypeOf<Flat<Requested & Authenticated & Partial<Authorized>>>()
    const whole = compose(authenticate([none()]), compose(request(), outer))
    expectTypeOf<NeedsOf<typeof whole>>().toEqualTypeOf<Flat<Partial<Authorized>>>()
  })

  it('needs what is added by a name alone, of another type', () => {
    const wrong = stage<unknown, { identity: string }>(async function* () {
      return { identity: 'alice' }
    })
    const whole = compose(wrong, request(), connecting)
    // @ts-expect-error identity is a string
    pipe(connection, frames(), whole, relay(connection))
  })
})
