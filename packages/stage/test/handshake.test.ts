import { setImmediate as quiet } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ClosedError, RefusedError, greeting, methodSelection } from '@it-socks/protocol'
import { frames, handshake, pipe, stage, type Bytes, type ByteDuplex } from '@it-socks/stage'
import { client, duplexPair, hex, play, server, toHex } from '@it-socks/testing'
import { chunks, failureOf } from './steps.ts'

/** The smallest handshake there is: answers a greeting by its first method, and refuses with `ff` from then on. */
const greeted = stage<unknown, { methods: readonly number[] }>(async function* ({ frames }) {
  const { methods } = await frames.read(greeting)
  yield methodSelection.encode({ method: methods[0] ?? 0xff })
  return { methods, refuse: () => hex`ff` }
})

const error = new RefusedError('not-allowed')
const failing = stage<unknown, {}>(async function* () {
  throw error
})

const all = async (source: AsyncIterable<Bytes>): Promise<string> => {
  const heard: Uint8Array[] = []
  for await (const bytes of source) heard.push(bytes.subarray())
  return toHex(Buffer.concat(heard))
}

/** A connection whose other end is the test's, which sees how ours is aborted. */
const connection = () => {
  const [near, far] = duplexPair()
  const abort = vi.fn<(reason: unknown) => void>((reason) => near.abort(reason))
  const ours: ByteDuplex = { ...near, abort }
  return { ours, far, abort }
}

/** A source that says these chunks, and then nothing until it is returned. */
const open = async function* (...bytes: Bytes[]): AsyncGenerator<Bytes, void> {
  yield* bytes
  await new Promise(() => {})
}

afterEach(() => {
  vi.useRealTimers()
})

describe('handshake', () => {
  it('comes to the context, and a duplex of what is left', async () => {
    const script = [client`05 01 00`, server`05 00`, client`aa bb`, server`cc`]
    const run = async (duplex: ByteDuplex): Promise<unknown> => {
      const { context, duplex: left } = await pipe(duplex, frames(), greeted, handshake(duplex))
      const [heard] = await Promise.all([all(left.source), left.sink(chunks(hex`cc`))])
      return { methods: context.methods, heard, local: left.localAddress, remote: left.remoteAddress }
    }
    // The script's last line waits for nobody: what comes glued to the greeting is there as well.
    expect(await play({ script, testing: 'server', run })).toEqual({
      methods: [0],
      heard: 'aa bb',
      local: { host: '192.0.2.1', port: 1 },
      remote: { host: '192.0.2.2', port: 2 }
    })
  })

  it('loses nothing that comes glued to the last message', async () => {
    const { ours, far } = connection()
    const sent = far.sink(chunks(hex`05 01 00 aa`, hex`bb`))
    const hearing = all(far.source)
    const { duplex } = await pipe(ours, frames(), greeted, handshake(ours))
    expect(await all(duplex.source)).toBe('aa bb')
    await Promise.all([duplex.sink(chunks()), sent])
    expect(await hearing).toBe('05 00')
  })

  it('gives the signal of the pipeline, and an abort that destroys the connection', async () => {
    const { ours, far, abort } = connection()
    const { signal } = new AbortController()
    const reason = new Error('enough')
    const sent = far.sink(open(hex`05 01 00`))
    const hearing = all(far.source)
    const established = await pipe(ours, frames({ signal }), greeted, handshake(ours))
    expect(established.signal).toBe(signal)
    established.duplex.abort?.(reason)
    expect(abort.mock.calls).toEqual([[reason]])
    await expect(sent).rejects.toThrow(ClosedError)
    await expect(hearing).rejects.toThrow(ClosedError)
    await expect(established.duplex.sink(open())).rejects.toBe(reason)
  })

  it('seals everything after the stages, and nothing before', async () => {
    const { ours, far } = connection()
    const sealing = stage<unknown, {}>(async function* () {
      return { seal: (bytes: Bytes) => bytes.subarray().map((byte) => byte ^ 0xff) }
    })
    const sent = far.sink(chunks(hex`05 01 00`))
    const hearing = all(far.source)
    const { duplex } = await pipe(ours, frames(), greeted, sealing, handshake(ours))
    await Promise.all([duplex.sink(chunks(hex`00`, hex`0f`)), sent])
    expect(await hearing).toBe('05 00 ff f0')
  })

  it('is an error of the pipeline where that ends without a handoff', async () => {
    const { ours, far } = connection()
    const nothing = handshake(ours, { linger: 0 })(chunks(hex`01`))
    const [heard, outcome] = await Promise.allSettled([all(far.source), nothing])
    expect(heard).toEqual({ status: 'fulfilled', value: '01' })
    expect(outcome).toMatchObject({ reason: { message: 'the pipeline ended without a handoff' } })
  })
})

describe('a handshake that fails', () => {
  it('says so, half-closes, and waits for the peer to close before it resets', async () => {
    vi.useFakeTimers()
    const { ours, far, abort } = connection()
    let close!: () => void
    const closed = new Promise<void>((resolve) => {
      close = resolve
    })
    const sent = far.sink(
      (async function* () {
        yield hex`05 01 00 aa`
        yield hex`bb`
        await closed
      })()
    )
    const outcome = pipe(ours, frames(), greeted, failing, handshake(ours, { linger: 1000 }))
    const failed = failureOf(outcome)
    expect(await all(far.source)).toBe('05 00 ff')
    await vi.advanceTimersByTimeAsync(999)
    expect(abort).not.toHaveBeenCalled()
    close()
    expect(await failed).toBe(error)
    expect(abort.mock.calls).toEqual([[error]])
    await sent
    expect(vi.getTimerCount()).toBe(0)
  })

  it('waits no longer than it lingers, whatever the peer does', async () => {
    vi.useFakeTimers()
    const { ours, far, abort } = connection()
    const sent = failureOf(far.sink(open(hex`05 01 00`)))
    const outcome = pipe(ours, frames(), greeted, failing, handshake(ours, { linger: 1000 }))
    const failed = failureOf(outcome)
    expect(await all(far.source)).toBe('05 00 ff')
    await vi.advanceTimersByTimeAsync(999)
    expect(abort).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(await failed).toBe(error)
    expect(await sent).toBeInstanceOf(ClosedError)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('drops what the peer goes on to send', async () => {
    const { ours, far } = connection()
    const sent = far.sink(chunks(hex`05 01 00`, ...Array.from({ length: 100 }, () => new Uint8Array(1000))))
    const hearing = all(far.source)
    await expect(pipe(ours, frames(), greeted, failing, handshake(ours))).rejects.toBe(error)
    expect(await hearing).toBe('05 00 ff')
    await sent
  })

  it('ends where the connection breaks while a stage waits for the peer', async () => {
    const { ours, far, abort } = connection()
    const refuse = vi.fn<() => undefined>()
    const ready = stage<unknown, {}>(async function* () {
      return { refuse }
    })
    const outcome = pipe(ours, frames(), ready, greeted, handshake(ours))
    await quiet()
    far.abort(new Error('gone'))
    await expect(outcome).rejects.toThrow('the peer reset the connection')
    expect(abort).toHaveBeenCalledTimes(1)
    expect(refuse).toHaveBeenCalledTimes(1)
  })

  it('ends where the connection breaks while a stage is busy with something else, and releases what it had', async () => {
    const { ours, far } = connection()
    const refuse = vi.fn<(error: unknown) => undefined>()
    let done!: () => void
    const work = new Promise<void>((resolve) => {
      done = resolve
    })
    let released!: (error: unknown) => void
    const release = new Promise<unknown>((resolve) => {
      released = resolve
    })
    refuse.mockImplementation((error) => released(error) as undefined)
    const busy = stage<unknown, {}>(async function* () {
      await work
      return { refuse }
    })
    const outcome = pipe(ours, frames(), busy, handshake(ours))
    far.abort(new Error('gone'))
    await expect(outcome).rejects.toThrow('the peer reset the connection')
    done()
    expect(await release).toMatchObject({ message: 'the peer reset the connection' })
    expect(refuse).toHaveBeenCalledTimes(1)
  })

  it('ends at once where the signal aborts while a stage waits for the peer', async () => {
    const { ours, far } = connection()
    const owner = new AbortController()
    const reason = new Error('shutting down')
    const outcome = pipe(ours, frames({ signal: owner.signal }), greeted, greeted, handshake(ours, { linger: 0 }))
    const sent = failureOf(far.sink(open(hex`05 01 00`)))
    const hearing = all(far.source)
    await quiet()
    owner.abort(reason)
    await expect(outcome).rejects.toBe(reason)
    expect(await hearing).toBe('05 00 ff')
    expect(await sent).toBeInstanceOf(ClosedError)
  })

  it('needs no abort of its connection', async () => {
    const { ours, far } = connection()
    const bare: ByteDuplex = { source: ours.source, sink: (source) => ours.sink(source) }
    const sent = far.sink(chunks(hex`05 01 00`))
    const hearing = all(far.source)
    await expect(pipe(bare, frames(), greeted, failing, handshake(bare))).rejects.toBe(error)
    expect(await hearing).toBe('05 00 ff')
    await sent
  })
})
