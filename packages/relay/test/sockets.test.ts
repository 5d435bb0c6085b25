import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { join, type JoinOptions } from '@it-socks/relay'
import type { SocketDuplex } from '@it-socks/net'
import { connected, flood, standstill } from './setup.ts'

interface Relayed {
  readonly client: Socket
  readonly target: Socket
  /** The relay's own two ends. */
  readonly near: SocketDuplex
  readonly far: SocketDuplex
  /** What came of it: the bytes, or the error. */
  readonly outcome: Promise<unknown>
}

/** A client and a target, each on a socket of its own, and the relay between them. */
const relay = async (options?: JoinOptions): Promise<Relayed> => {
  const [one, other] = await Promise.all([connected(), connected()])
  const outcome = join(one.ours, other.ours, options).catch((error: unknown) => error)
  return { client: one.peer, target: other.peer, near: one.ours, far: other.ours, outcome }
}

/** All that a socket hears until its peer ends. */
const hear = async (socket: Socket): Promise<string> => {
  const heard: Uint8Array[] = []
  socket.on('data', (chunk) => heard.push(chunk))
  await once(socket, 'end')
  return Buffer.concat(heard).toString()
}

const sides = (side: 'client' | 'target', { client, target }: Relayed): [Socket, Socket] =>
  side === 'client' ? [client, target] : [target, client]

describe('a relay between sockets', () => {
  it.each(['client', 'target'] as const)('goes on one way long after the %s has closed its half', async (side) => {
    const all = await relay()
    const [first, second] = sides(side, all)
    const closing = once(second, 'end')
    second.resume()
    first.end()
    await closing
    const heard = hear(first)
    for (let said = 0; said < 100; said++) {
      second.write(`${said} `)
      await turn()
    }
    second.end()
    expect(await heard).toBe(Array.from({ length: 100 }, (_, said) => `${said} `).join(''))
    const length = 290
    expect(await all.outcome).toEqual(side === 'client' ? { up: 0, down: length } : { up: length, down: 0 })
  })

  it.each(['client', 'target'] as const)('passes a reset by the %s on to the other side', async (side) => {
    const all = await relay()
    const [first, second] = sides(side, all)
    const broken = once(second, 'error')
    second.resume()
    first.resetAndDestroy()
    expect(await broken).toMatchObject([{ code: 'ECONNRESET' }])
    expect(await all.outcome).toMatchObject({ code: 'ECONNRESET' })
  })

  it.each(['client', 'target'] as const)('passes on a reset by the %s that comes after its end', async (side) => {
    const all = await relay()
    const [first, second] = sides(side, all)
    const ended = once(second, 'end')
    second.resume()
    first.end()
    await ended
    const broken = once(second, 'error')
    first.resetAndDestroy()
    // Who has ended is not read any more: the reset shows when there is something to write.
    while (!second.destroyed) {
      second.write('are you there?', () => {})
      await turn()
    }
    expect(await broken).toMatchObject([{ code: expect.stringMatching(/^(?:ECONNRESET|EPIPE)$/) }])
    expect(await all.outcome).toMatchObject({ code: expect.stringMatching(/^(?:ECONNRESET|EPIPE)$/) })
  })

  it.each(['client', 'target'] as const)(
    'stops who writes where the %s does not read, and loses nothing',
    async (side) => {
      const all = await relay()
      const [reader, writer] = sides(side, all)
      reader.pause()
      const { state, source } = flood(65_536)
      const pump = (async () => {
        for await (const chunk of source) {
          if (!writer.write(chunk.subarray())) await once(writer, 'drain')
        }
      })()
      const stalled = await standstill(() => state.said + writer.bytesWritten)
      expect(stalled).toBeGreaterThan(0)

      // What the relay has read and has not yet been able to give to the kernel: a few chunks, whatever was written.
      const [incoming, outgoing] = side === 'client' ? [all.far, all.near] : [all.near, all.far]
      const read = (incoming.transport as Socket).bytesRead
      const out = outgoing.transport as Socket
      expect(out.writableNeedDrain).toBe(true)
      expect(out.writableLength).toBeLessThanOrEqual(4 * 65_536)
      expect(read - (out.bytesWritten - out.writableLength)).toBeLessThanOrEqual(8 * 65_536)

      // The reader wakes up: everything comes.
      let heard = 0
      reader.on('data', (chunk) => {
        heard += chunk.length
      })
      reader.resume()
      await source.return(undefined)
      await pump
      writer.end()
      await once(reader, 'end')
      expect(heard).toBe(state.said * 65_536)
      reader.end()
      expect(await all.outcome).toEqual(side === 'client' ? { up: 0, down: heard } : { up: heard, down: 0 })
    }
  )

  it('resets both sides when its signal aborts', async () => {
    const owner = new AbortController()
    const { client, target, outcome } = await relay({ signal: owner.signal })
    const broken = Promise.all([once(client.resume(), 'error'), once(target.resume(), 'error')])
    const reason = new Error('the server is closing')
    owner.abort(reason)
    expect(await broken).toMatchObject([[{ code: 'ECONNRESET' }], [{ code: 'ECONNRESET' }]])
    expect(await outcome).toBe(reason)
  })

  it('closes its own two sockets when both sides have ended', async () => {
    const { client, target, near, far, outcome } = await relay()
    const closed = Promise.all([near, far].map(({ transport }) => once(transport as Socket, 'close')))
    client.resume().end()
    target.resume().end()
    expect(await outcome).toEqual({ up: 0, down: 0 })
    await closed
  })
})
