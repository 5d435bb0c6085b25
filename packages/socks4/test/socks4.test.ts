import { getEventListeners } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { bind, command, connect } from '@it-socks/command'
import {
  AuthenticationError,
  CommandError,
  DeadlineError,
  EmptyNameError,
  RefusedError,
  TextError,
  TruncatedError,
  UnterminatedError,
  VersionError,
  type Address,
  type MalformedError
} from '@it-socks/protocol'
import { socks4, type Socks4Options } from '@it-socks/socks4'
import { compose, deadline, detect, frames, handshake, pipe, stage, type Bytes } from '@it-socks/stage'
import { client, duplexPair, hex, memoryBinder, play, playOnce, server, type Line } from '@it-socks/testing'

/** Plays the client to `socks4(options)`; what comes of it is who the client is and what it wants. */
const serve = (script: readonly Line[], options?: Socks4Options) =>
  play({
    script,
    testing: 'server',
    run: async (duplex) => {
      const { context } = await pipe(duplex, frames(), socks4(options), handshake(duplex))
      return { identity: context.identity, request: context.request }
    }
  })

const rejected = server`00 5b 0000 00000000`
const refused = server`00 5d 0000 00000000`

const one = async function* (bytes: Bytes): AsyncGenerator<Bytes, void> {
  yield bytes
}

const textOf = async (source: AsyncIterable<Bytes>): Promise<string> => {
  let text = ''
  for await (const bytes of source) text += new TextDecoder().decode(bytes.subarray())
  return text
}

describe('socks4', () => {
  it('reads a CONNECT, and takes the user id for the identity', async () => {
    expect(await serve([client`04 01 0050 c0000201 ${'alice'} 00`])).toEqual({
      identity: { method: 'socks4', username: 'alice' },
      request: { command: 'connect', destination: { host: '192.0.2.1', port: 80 } }
    })
  })

  it('reads a BIND', async () => {
    expect(await serve([client`04 02 0015 c0000209 ${'alice'} 00`])).toMatchObject({
      request: { command: 'bind', destination: { host: '192.0.2.9', port: 21 } }
    })
  })

  it('takes a client that does not say who it is', async () => {
    expect((await serve([client`04 01 0050 c0000201 00`])).identity).toEqual({ method: 'socks4' })
  })

  it('reads the domain of SOCKS4a, with a user id and without', async () => {
    const destination = { host: 'example.com', port: 443 }
    const named = await serve([client`04 01 01bb 00000001 ${'alice'} 00 ${'example.com'} 00`])
    expect(named).toEqual({
      identity: { method: 'socks4', username: 'alice' },
      request: { command: 'connect', destination }
    })
    expect((await serve([client`04 01 01bb 000000ff 00 ${'example.com'} 00`])).request.destination).toEqual(destination)
  })

  it('leaves what comes behind the request to the stage after it', async () => {
    const early = await play({
      script: [client`04 01 01bb 00000001 00 ${'example.com'} 00 ${'early'}`],
      testing: 'server',
      run: async (duplex) => {
        const { duplex: rest } = await pipe(duplex, frames(), socks4(), handshake(duplex))
        const text = await textOf(rest.source)
        await rest.sink((async function* () {})())
        return text
      }
    })
    expect(early).toBe('early')
  })
})

describe('socks4, where the request is malformed', () => {
  it.each([
    ['an unknown command', client`04 03 0050 c0000201 00`, CommandError],
    ['an empty domain', client`04 01 0050 00000001 00 00`, EmptyNameError],
    ['a domain that acts on terminals', client`04 01 0050 00000001 00 1b ${'[2J'} 00`, TextError],
    ['a user id that is not UTF-8', client`04 01 0050 c0000201 c328 00`, TextError],
    ['a user id without an end', client`04 01 0050 c0000201 ${'a'.repeat(300)}`, UnterminatedError],
    ['a domain without an end', client`04 01 0050 00000001 00 ${'a'.repeat(300)}`, UnterminatedError]
  ])('rejects %s', async (_, line, error: new (...args: never[]) => MalformedError) => {
    const served = serve([line, rejected])
    await expect(served).rejects.toThrow(error)
    await expect(served).rejects.toMatchObject({ within: { message: 'SOCKS4 request' } })
  })

  const whole = hex`04 01 01bb 00000001 ${'al'} 00 ${'a.b'} 00`
  it.each(Array.from({ length: whole.length - 1 }, (_, index) => index + 1))(
    'rejects a client that leaves after %i bytes, once SOCKS4 is what it speaks',
    async (length) => {
      for (const inPieces of [false, true]) {
        const served = playOnce(
          {
            script: [client`${whole.subarray(0, length)}`, rejected],
            testing: 'server',
            run: (duplex) => pipe(duplex, frames(), socks4(), handshake(duplex))
          },
          // It closes without waiting for the reply.
          { name: 'glued', glued: true, cutBefore: () => inPieces }
        )
        const error = await served.catch((error: unknown) => error)
        expect(error).toBeInstanceOf(TruncatedError)
        expect(error).toMatchObject({ received: length })
      }
    }
  )

  it('says nothing to a client that leaves without a word', async () => {
    await expect(serve([])).rejects.toThrow(TruncatedError)
  })

  it.each([client`05 01 00`, client`${'GET / HTTP/1.1'}`, client`00 5a`])(
    'says nothing to a client that does not speak SOCKS4: $bytes',
    async (line) => {
      await expect(serve([line])).rejects.toThrow(VersionError)
    }
  )

  it('does not read on behind a user id that has no end', async () => {
    let said = 0
    const endless = async function* (): AsyncGenerator<Bytes, void> {
      yield hex`04 01 0050 c0000201`
      for (;;) {
        said++
        yield hex`61`
      }
    }
    const [near] = duplexPair()
    await expect(
      pipe(endless(), frames(), socks4(), handshake({ source: near.source, sink: async () => {} }, { linger: 0 }))
    ).rejects.toThrow('USERID has more than 255 bytes before its NUL')
    expect(said).toBe(256)
  })
})

describe('socks4 with users', () => {
  const request = client`04 01 0050 c0000201 ${'alice'} 00`

  it('admits whom it is told to', async () => {
    const admit = vi.fn<NonNullable<Socks4Options['admit']>>((userId) => userId === 'alice')
    expect((await serve([request], { admit })).identity).toEqual({ method: 'socks4', username: 'alice' })
    expect(admit).toHaveBeenCalledWith('alice', { signal: expect.any(AbortSignal) })
  })

  it('waits for an answer that takes its time', async () => {
    expect((await serve([request], { admit: async (userId) => userId === 'alice' })).identity.username).toBe('alice')
    await expect(serve([request, refused], { admit: async () => false })).rejects.toThrow(AuthenticationError)
  })

  it('asks about clients that do not say who they are, too', async () => {
    const admit = vi.fn<NonNullable<Socks4Options['admit']>>(() => false)
    await expect(serve([client`04 01 0050 c0000201 00`, refused], { admit })).rejects.toThrow(AuthenticationError)
    expect(admit).toHaveBeenCalledWith('', expect.anything())
  })

  it('refuses all others, and keeps the user id out of the error: it may be all that there is of a secret', async () => {
    const served = serve([client`04 01 0050 c0000201 ${'xyzzy'} 00`, refused], { admit: () => false })
    await expect(served).rejects.toThrow(AuthenticationError)
    await expect(served).rejects.toThrow(/^(?!.*xyzzy)/)
  })

  it('rejects where nobody can say, and throws why', async () => {
    const admit = async () => {
      throw new Error('the directory is down')
    }
    await expect(serve([request, rejected], { admit })).rejects.toThrow('the directory is down')
  })

  it('stops waiting for the answer where the signal aborts, and leaves no listener', async () => {
    const owner = new AbortController()
    const [near, far] = duplexPair()
    const told: AbortSignal[] = []
    const reason = new Error('the server is closing')
    const admit: Socks4Options['admit'] = (_, { signal }) => {
      told.push(signal)
      owner.abort(reason)
      return new Promise(() => {})
    }
    const served = pipe(near, frames({ signal: owner.signal }), socks4({ admit }), handshake(near, { linger: 0 }))
    await Promise.all([far.sink(one(request.bytes)), expect(served).rejects.toBe(reason)])
    expect(told).toEqual([owner.signal])
    expect(getEventListeners(owner.signal, 'abort')).toEqual([])
  })
})

describe('socks4 with a stage behind it', () => {
  const request = client`04 01 0050 c0000201 00`

  const failing = (error: Error) =>
    play({
      script: [request, error instanceof AuthenticationError ? refused : rejected],
      testing: 'server',
      run: (duplex) =>
        pipe(
          duplex,
          frames(),
          socks4(),
          stage<unknown, {}>(async function* () {
            throw error
          }),
          handshake(duplex)
        )
    })

  it.each([new RefusedError('connection-refused'), new RefusedError('not-allowed'), new Error('disk full')])(
    'refuses with its one reply for %s',
    (error) => expect(failing(error)).rejects.toBeInstanceOf(error.constructor)
  )

  it('tells a refused user from the rest', () =>
    expect(failing(new AuthenticationError())).rejects.toThrow('authentication failed'))

  it.each([
    ['192.0.2.7:4000', { host: '192.0.2.7', port: 4000 }, server`00 5a 0fa0 c0000207`],
    ['an address that is mapped into IPv6', { host: '::ffff:192.0.2.7', port: 1 }, server`00 5a 0001 c0000207`],
    ['an IPv6 address, as the proxy’s own', { host: '2001:db8::7', port: 4000 }, server`00 5a 0fa0 00000000`],
    ['a domain, as the proxy’s own', { host: 'proxy.example', port: 4000 }, server`00 5a 0fa0 00000000`]
  ])('grants with %s', async (_, bound, reply) => {
    const granting = compose(
      socks4(),
      stage<{ grant: (bound: { host: string; port: number }) => Bytes }, {}>(async function* ({ context }) {
        yield context.grant(bound)
        return {}
      })
    )
    const run = async (duplex: Parameters<typeof handshake>[0]) => {
      await pipe(duplex, frames(), granting, handshake(duplex))
    }
    await expect(play({ script: [request, reply], testing: 'server', run })).resolves.toBeUndefined()
  })

  it('connects, by the same command as SOCKS5', async () => {
    const dialled: unknown[] = []
    const served = await play({
      script: [client`04 01 01bb 00000001 ${'alice'} 00 ${'example.com'} 00 ${'early'}`, server`00 5a 0001 c0000201`],
      testing: 'server',
      run: async (duplex) => {
        const connecting = connect(async (destination) => {
          dialled.push(destination)
          return duplexPair()[0]
        })
        const established = await pipe(duplex, frames(), socks4(), command({ connect: connecting }), handshake(duplex))
        const early = await textOf(established.duplex.source)
        await established.duplex.sink((async function* () {})())
        return { early, tunnelled: established.context.tunnel !== undefined }
      }
    })
    expect(served).toEqual({ early: 'early', tunnelled: true })
    expect(new Set(dialled.map((it) => JSON.stringify(it)))).toEqual(new Set(['{"host":"example.com","port":443}']))
  })

  const bound = server`00 5a 0fa0 c0000201`
  const binding = (script: readonly Line[], from: Address) =>
    play({
      script,
      testing: 'server',
      stays: true,
      run: async (duplex) => {
        const { binder, connect } = memoryBinder()
        const peer = connect(from)
        const connection = { localAddress: { host: '192.0.2.1', port: 1080 } }
        const { context } = await pipe(
          duplex,
          frames({ context: { connection } }),
          socks4(),
          command({ bind: bind(binder) }),
          handshake(duplex)
        )
        await peer
        return context.tunnel.remoteAddress
      }
    })

  it('binds, by the same command as SOCKS5, with two replies', async () => {
    const from = { host: '192.0.2.9', port: 54_321 }
    const expected = client`04 02 0014 c0000209 ${'alice'} 00`
    expect(await binding([expected, bound, server`00 5a d431 c0000209`], from)).toEqual(from)
  })

  it('binds for anybody, and tells of a peer from IPv6 without its address', async () => {
    const from = { host: '2001:db8::9', port: 54_321 }
    const anybody = client`04 02 0000 00000000 00`
    expect(await binding([anybody, bound, server`00 5a d431 00000000`], from)).toEqual(from)
  })

  it('refuses commands that nobody does', async () => {
    const served = play({
      script: [client`04 02 0050 c0000201 00`, rejected],
      testing: 'server',
      run: (duplex) =>
        pipe(duplex, frames(), socks4(), command({ connect: connect(async () => duplexPair()[0]) }), handshake(duplex))
    })
    await expect(served).rejects.toThrow('command not supported')
  })

  it('is found by its first byte', async () => {
    const served = await play({
      script: [request],
      testing: 'server',
      run: async (duplex) => (await pipe(duplex, frames(), detect({ 4: socks4() }), handshake(duplex))).context.request
    })
    expect(served.destination.port).toBe(80)
  })
})

describe('socks4 within a deadline', () => {
  it('tells a client that takes too long for the rest of its request', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const [near, far] = duplexPair()
      const served = pipe(
        near,
        frames(),
        deadline('the handshake', 1000, socks4()),
        handshake(near, { linger: Infinity })
      )
      const heard = far.source[Symbol.asyncIterator]().next()
      let leave = (): void => {}
      const left = new Promise<void>((resolve) => (leave = resolve))
      const said = far.sink(
        (async function* () {
          yield hex`04 01`
          await left
        })()
      )
      const outcome = Promise.allSettled([served])
      await vi.advanceTimersByTimeAsync(1000)
      expect((await heard).value?.subarray()).toEqual(rejected.bytes)
      leave()
      await said
      expect(await outcome).toMatchObject([{ reason: expect.any(DeadlineError) }])
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })
})
