import { afterEach, describe, expect, it, vi } from 'vitest'
import { RefusedError, greeting, methodSelection } from '@it-socks/protocol'
import {
  frames,
  handshake,
  pipe,
  stage,
  transportOf,
  withAddresses,
  type ByteDuplex,
  type Bytes,
  type Transport
} from '@it-socks/stage'
import { hex, toHex } from '@it-socks/testing'
import { chunks, failureOf } from './steps.ts'

afterEach(() => {
  vi.useRealTimers()
})

/** A connection that can do without iterators, and notes down what is done to it. */
const connection = (...said: Bytes[]) => {
  const written: string[] = []
  const unread: string[] = []
  const told: { broken?: ((error: unknown) => void) | undefined; drained?: () => void } = {}
  const sink = vi.fn<ByteDuplex['sink']>(async (source) => {
    for await (const bytes of source) written.push(`sink ${toHex(bytes.subarray())}`)
    written.push('end')
  })
  const abort = vi.fn<(reason: unknown) => void>()
  const state = { waiting: 0 }
  const duplex: ByteDuplex & { transport: Transport } = {
    source: chunks(...said),
    sink,
    abort,
    transport: {
      get duplex() {
        return duplex
      },
      write: (bytes) => void written.push(toHex(bytes.subarray())),
      get waiting() {
        return state.waiting
      },
      drained: (act) => void (told.drained = act),
      broken: (act) => void (told.broken = act),
      unread: (bytes) => void unread.push(toHex(bytes.subarray())),
      join: () => false
    }
  }
  return { duplex, written, unread, told, sink, abort, state }
}

const greeted = stage<unknown, { methods: readonly number[] }>(async function* ({ frames }) {
  const { methods } = await frames.read(greeting)
  yield methodSelection.encode({ method: methods[0] ?? 0xff })
  return { methods, refuse: () => hex`ff` }
})
const error = new RefusedError('not-allowed')
const failing = stage<unknown, {}>(() => {
  throw error
})

describe('a handshake over a transport', () => {
  it('writes past the sink, gives back what came glued, and hands over the connection itself', async () => {
    const { duplex, written, unread, sink, told } = connection(hex`05 01 00 aa bb`)
    const established = await pipe(duplex, frames(), greeted, handshake(duplex))
    expect(established.duplex).toBe(duplex)
    expect(transportOf(established.duplex)).toBe(duplex.transport)
    expect(written).toEqual(['05 00'])
    expect(unread).toEqual(['aa bb'])
    expect(sink).not.toHaveBeenCalled()
    expect(told.broken).toBeUndefined()
  })

  it('gives nothing back where nothing came glued', async () => {
    const { duplex, unread } = connection(hex`05 01 00`, hex`aa`)
    await pipe(duplex, frames(), greeted, handshake(duplex))
    expect(unread).toEqual([])
  })

  it('hands over no transport where bytes are enciphered, or a stage still waits for some', async () => {
    const sealing = stage(() => ({ seal: (bytes: Bytes) => bytes.subarray().map((byte) => byte ^ 0xff) }))
    const { duplex, written } = connection(hex`05 01 00`)
    const sealed = await pipe(duplex, frames(), greeted, sealing, handshake(duplex))
    expect(transportOf(sealed.duplex)).toBeUndefined()
    await sealed.duplex.sink(chunks(hex`0f`))
    expect(written).toEqual(['05 00', 'sink f0', 'end'])

    const waiting = stage(({ frames }) => {
      void frames.ended()
      return {}
    })
    const other = connection(hex`05 01 00`, hex`aa`)
    const left = await pipe(other.duplex, frames(), greeted, waiting, handshake(other.duplex))
    expect(transportOf(left.duplex)).toBeUndefined()
    const heard: string[] = []
    for await (const bytes of left.duplex.source) heard.push(toHex(bytes.subarray()))
    expect(heard).toEqual(['aa'])
  })

  it('refuses, and half-closes by the sink', async () => {
    const { duplex, written, abort } = connection(hex`05 01 00`)
    expect(await failureOf(pipe(duplex, frames(), greeted, failing, handshake(duplex)))).toBe(error)
    expect(written).toEqual(['05 00', 'ff', 'end'])
    expect(abort.mock.calls).toEqual([[error]])
  })

  it('waits where too much waits, until nothing does', async () => {
    const { duplex, written, told, state } = connection()
    const verbose = stage<unknown, {}>(async function* () {
      yield hex`01`
      yield hex`02`
      return {}
    })
    state.waiting = 64 * 1024 + 1
    const outcome = pipe(duplex, frames(), verbose, handshake(duplex))
    await vi.waitFor(() => expect(told.drained).toBeDefined())
    expect(written).toEqual(['01'])
    state.waiting = 0
    told.drained?.()
    await outcome
    expect(written).toEqual(['01', '02'])
  })

  it('ends where the connection breaks, whatever waits for it, and releases what comes later', async () => {
    const { duplex, told, state } = connection()
    const refuse = vi.fn<(error: unknown) => undefined>()
    const speaking = stage<unknown, {}>(async function* () {
      yield hex`01`
      yield hex`02`
      return { refuse }
    })
    state.waiting = 64 * 1024 + 1
    const outcome = failureOf(pipe(duplex, frames(), speaking, handshake(duplex)))
    await vi.waitFor(() => expect(told.drained).toBeDefined())
    const reset = new Error('reset')
    told.broken?.(reset)
    expect(await outcome).toBe(reset)
    expect(refuse.mock.calls).toEqual([[reset]])
  })
})

describe('the transport of a duplex', () => {
  it('is not that of one that was made of it', () => {
    const { duplex } = connection()
    expect(transportOf(duplex)).toBe(duplex.transport)
    expect(transportOf({ ...duplex, source: chunks() })).toBeUndefined()
    expect(transportOf({ ...duplex })).toBeUndefined()
  })

  it('is the same under other addresses, and so is all the rest', async () => {
    const { duplex, abort, written } = connection(hex`01`)
    const addresses = { localAddress: { host: '192.0.2.1', port: 1 }, remoteAddress: { host: '192.0.2.2', port: 2 } }
    const other = withAddresses(withAddresses(duplex, {}), addresses)
    expect(transportOf(other)).toBe(duplex.transport)
    expect({ localAddress: other.localAddress, remoteAddress: other.remoteAddress }).toEqual(addresses)
    expect(other.source).toBe(duplex.source)
    await other.sink(chunks(hex`02`))
    other.abort?.(error)
    expect(written).toEqual(['sink 02', 'end'])
    expect(abort.mock.calls).toEqual([[error]])
  })
})
