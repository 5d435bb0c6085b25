import { describe, expect, it } from 'vitest'
import { RefusedError } from '@it-socks/protocol'
import { authenticate, none } from '@it-socks/auth'
import { command, connect, request } from '@it-socks/command'
import { frames, handshake, never, pipe, stage, type Dial, type Stage, type Tunnel } from '@it-socks/stage'
import { duplexPair, hex } from '@it-socks/testing'

interface Promised<T> {
  promise: Promise<T>
  resolve: (value: T) => void
}

const promised = <T>(): Promised<T> => {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((_resolve) => {
    resolve = _resolve
  })
  return { promise, resolve }
}

/** A tunnel that tells when it is aborted, and why. */
const watchedTunnel = (): { tunnel: Tunnel; aborted: Promise<unknown> } => {
  const { promise, resolve } = promised<unknown>()
  const [near] = duplexPair()
  return { tunnel: { ...near, abort: resolve }, aborted: promise }
}

/** A client that has said all that it will say, and listens until the connection ends, in whatever way. */
const waitingClient = () => {
  const [far, near] = duplexPair()
  const heard: number[] = []
  const speak = async function* (): AsyncGenerator<Uint8Array> {
    yield hex`05 01 00  05 01 00 01 c0000209 0050`
    await new Promise(() => {})
  }
  const listen = async (): Promise<void> => {
    for await (const bytes of far.source) heard.push(...bytes.subarray())
  }
  const over = Promise.allSettled([far.sink(speak()), listen()])
  const vanish = async (): Promise<void> => {
    far.abort(new Error('gone'))
    await over
  }
  return { near, heard, vanish }
}

const nothing = stage<unknown, {}>(async function* () {
  return {}
})

interface ServeOptions {
  dial: Dial
  after?: Stage<unknown, {}>
  signal?: AbortSignal
}

const serve = ({ dial, after = nothing, signal = never }: ServeOptions) => {
  const { near, heard, vanish } = waitingClient()
  const handlers = { connect: connect(dial) }
  const steps = [frames({ signal }), authenticate([none()]), request(), command(handlers), after] as const
  const served = pipe(near, ...steps, handshake(near, { linger: 0 }))
  return { served, heard, vanish }
}

describe('a tunnel that nobody takes is closed', () => {
  it('where a later stage throws; the client, who has its reply, is not told twice', async () => {
    const { tunnel, aborted } = watchedTunnel()
    const error = new RefusedError('not-allowed')
    const after = stage<unknown, {}>(async function* () {
      throw error
    })
    const { served, heard } = serve({ dial: async () => tunnel, after })
    await expect(served).rejects.toBe(error)
    expect(await aborted).toBe(error)
    expect(Uint8Array.from(heard)).toEqual(hex`05 00  05 00 00 01 c0000201 0001`)
  })

  it('where the client vanishes during the dial, and the dial does not care for the signal', async () => {
    const { tunnel, aborted } = watchedTunnel()
    const dialling = promised<void>()
    const dialled = promised<Tunnel>()
    const dial: Dial = () => {
      dialling.resolve()
      return dialled.promise
    }
    const { served, vanish } = serve({ dial })
    await dialling.promise
    await vanish()
    await expect(served).rejects.toThrow('the peer reset the connection')
    dialled.resolve(tunnel)
    expect(await aborted).toMatchObject({ name: 'ClosedError' })
  })

  it('where the client vanishes at the reply, while a later stage is still at work', async () => {
    const { tunnel, aborted } = watchedTunnel()
    const working = promised<void>()
    const worked = promised<void>()
    const after = stage<unknown, {}>(async function* () {
      working.resolve()
      await worked.promise
      return {}
    })
    const { served, vanish } = serve({ dial: async () => tunnel, after })
    await working.promise
    await vanish()
    await expect(served).rejects.toThrow('the peer reset the connection')
    worked.resolve()
    expect(await aborted).toMatchObject({ message: 'the peer reset the connection' })
  })

  it('where the signal aborts during the dial, and the dial comes through all the same', async () => {
    const { tunnel, aborted } = watchedTunnel()
    const owner = new AbortController()
    const dialled = promised<Tunnel>()
    const dial: Dial = () => {
      owner.abort(new Error('shutting down'))
      return dialled.promise
    }
    const { served } = serve({ dial, signal: owner.signal })
    await expect(served).rejects.toThrow('shutting down')
    dialled.resolve(tunnel)
    expect(await aborted).toMatchObject({ name: 'ClosedError' })
  })

  it('where the signal aborts while a later stage is at work', async () => {
    const { tunnel, aborted } = watchedTunnel()
    const owner = new AbortController()
    const after = stage<unknown, {}>(async function* () {
      owner.abort(new Error('shutting down'))
      await new Promise(() => {})
      return {}
    })
    const { served } = serve({ dial: async () => tunnel, after, signal: owner.signal })
    await expect(served).rejects.toThrow('shutting down')
    expect(await aborted).toMatchObject({ message: 'shutting down' })
  })
})

describe('the signal of a dial', () => {
  it('is the connection’s: it aborts with it', async () => {
    const owner = new AbortController()
    const reason = new Error('shutting down')
    const dial: Dial = (_, { signal = never } = {}) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
        owner.abort(reason)
      })
    const { served } = serve({ dial, signal: owner.signal })
    await expect(served).rejects.toBe(reason)
  })
})
