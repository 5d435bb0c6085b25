import { once } from 'node:events'
import { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, it, vi } from 'vitest'
import { isSocketTransport, type SocketDuplex, type SocketTransport } from '@it-socks/net'
import { ClosedError } from '@it-socks/protocol'
import { transportOf, type Transport } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import { all, connected, failureOf, hear, iterate, say, silence, socketPath, standstill } from './setup.ts'
import { ways } from './ways.ts'

const transport = (duplex: SocketDuplex): SocketTransport => {
  const found = transportOf(duplex)
  if (found === undefined || !isSocketTransport(found)) throw new Error('not a socket transport')
  return found
}

const nobodyListens = new Socket().eventNames()

/** As many bytes as a socket and its peer hold and more, none like its neighbour. */
const much = Uint8Array.from({ length: 16_000_000 }, (_, index) => index ^ (index >> 8))

describe.each(ways)('the transport of a socket, %s', (_, prepare) => {
  const open = async (where?: { host: string } | { path: string }) => {
    const { ours, socket, peer } = await connected(where, prepare)
    return { ours, socket, peer, at: transport(ours) }
  }

  it.each([
    ['an array', hex`${'hello'}`],
    ['a list', new Uint8ArrayList(hex`${'hel'}`, hex`${'lo'}`)]
  ])('writes %s', async (_, bytes) => {
    const { at, socket, peer } = await open()
    const heard = hear(peer)
    at.write(bytes)
    socket.end()
    expect(await heard).toBe('hello')
  })

  it('writes on a unix socket', async () => {
    const { at, socket, peer } = await open(await socketPath())
    const heard = hear(peer)
    at.write(hex`${'hello'}`)
    socket.end()
    expect(await heard).toBe('hello')
  })

  it('writes what is overwritten as soon as it has returned', async () => {
    const { at, socket, peer } = await open()
    const bytes = Uint8Array.from(much)
    at.write(bytes)
    bytes.fill(0)
    at.write(hex`${'the end'}`)
    socket.end()
    const heard: Uint8Array[] = []
    peer.on('data', (chunk) => heard.push(chunk))
    await once(peer, 'end')
    expect(Buffer.concat(heard).equals(Buffer.concat([much, hex`${'the end'}`]))).toBe(true)
  })

  it('tells how much waits, and when nothing does any more', async () => {
    const { at, peer } = await open()
    peer.pause()
    const atOnce = vi.fn<() => void>()
    at.drained(atOnce)
    expect(atOnce).toHaveBeenCalledOnce()
    at.write(much)
    expect(at.waiting).toBeGreaterThan(0)
    const waiting = await new Promise((resolve) => {
      at.drained(() => resolve(at.waiting))
      peer.resume()
    })
    expect(waiting).toBe(0)
  })

  it('says nothing of what waits where it breaks', async () => {
    const { ours, at, socket, peer } = await open()
    peer.pause()
    at.write(much)
    const drained = vi.fn<() => void>()
    at.drained(drained)
    const closed = once(socket, 'close')
    ours.abort(new Error('enough'))
    await closed
    await turn()
    expect(drained).not.toHaveBeenCalled()
  })

  it('says nothing of what waits where it cannot be written any more', async () => {
    const { at, socket, peer } = await open()
    peer.pause()
    at.write(much)
    const drained = vi.fn<() => void>()
    at.drained(drained)
    const closed = once(socket, 'close')
    // Nobody reads: it is the next write that tells.
    peer.resetAndDestroy()
    at.drained(drained)
    await Promise.all([closed.catch(() => {}), new Promise((resolve) => at.broken(resolve))])
    at.drained(drained)
    expect(drained).not.toHaveBeenCalled()
  })

  it('tells whoever asked last that it broke, and why', async () => {
    const { ours, at, peer } = await open()
    const earlier = vi.fn<(error: unknown) => void>()
    at.broken(earlier)
    const reading = failureOf(iterate(ours).next())
    const broken = new Promise((resolve) => at.broken(resolve))
    peer.resetAndDestroy()
    expect(await broken).toMatchObject({ code: 'ECONNRESET', syscall: 'read' })
    expect(await reading).toBe(await broken)
    expect(earlier).not.toHaveBeenCalled()
  })

  it('tells at once where it broke before', async () => {
    const { ours, at, socket } = await open()
    const reason = new Error('enough')
    const closed = once(socket, 'close')
    ours.abort(reason)
    await closed
    const broken = vi.fn<(error: unknown) => void>()
    at.broken(broken)
    expect(broken.mock.calls).toEqual([[reason]])
  })

  it('tells nobody where that was called off, or both sides have ended', async () => {
    const [one, other] = await Promise.all([open(), open()])
    const broken = vi.fn<(error: unknown) => void>()
    one.at.broken(broken)
    one.at.broken(undefined)
    other.at.broken(broken)
    const closed = Promise.all([once(one.socket, 'close'), once(other.socket, 'close')])
    one.ours.abort(new Error('enough'))
    other.peer.resume().end()
    await Promise.all([all(other.ours.source), other.ours.sink(say()), closed])
    other.at.broken(broken)
    expect(broken).not.toHaveBeenCalled()
  })

  it('breaks, with the name that the system gives it, where it writes to one that has gone', async () => {
    const { at, peer } = await open()
    const gone = once(peer, 'close')
    peer.resetAndDestroy()
    await gone
    const broken = new Promise((resolve) => at.broken(resolve))
    at.write(hex`${'anybody there?'}`)
    expect(await broken).toMatchObject({ code: expect.stringMatching(/^(?:ECONNRESET|EPIPE)$/), syscall: 'write' })
    at.write(hex`${'still not?'}`)
    expect(at.waiting).toBe(0)
  })

  it('gives its reader what was read and not consumed again, first', async () => {
    const { ours, at, peer } = await open()
    const reader = iterate(ours)
    peer.write('hello')
    const { value } = await reader.next()
    at.unread(new Uint8ArrayList(value!.subarray(0, 2), value!.subarray(2)))
    peer.end(' world')
    expect((await all(ours.source)).toString()).toBe('hello world')
  })

  it('hands out chunks that later ones do not touch', async () => {
    const [one, other] = await Promise.all([open(), open()])
    const reader = iterate(one.ours)
    one.peer.write('first')
    const { value: first } = await reader.next()
    one.peer.write('second')
    other.peer.write('third!')
    const { value: second } = await reader.next()
    const { value: third } = await iterate(other.ours).next()
    expect([first, second, third].map(String)).toEqual(['first', 'second', 'third!'])
  })

  it('detaches from its socket: leaves what is not consumed, reads no more, and aborts elsewhere', async () => {
    const { ours, at, socket, peer } = await open()
    const reader = iterate(ours)
    peer.write('hello')
    const { value } = await reader.next()
    at.unread(value!.subarray(2))
    at.unread(new Uint8Array())
    const abort = vi.fn<(reason: unknown) => void>()
    expect([at.detachable, at.socket]).toEqual([true, socket])
    const { ahead, ended } = at.detach(abort)
    expect([at.detachable, at.socket.destroyed, ahead.length]).toEqual([false, true, 1])
    expect([Buffer.concat(ahead).toString(), ended]).toEqual(['llo', false])

    const before = socket.bytesRead
    peer.write('too late')
    await standstill(() => socket.bytesRead)
    expect(socket.bytesRead).toBe(before)
    const reason = new Error('enough')
    ours.abort(reason)
    expect(abort.mock.calls).toEqual([[reason]])
    expect(socket.destroyed).toBe(false)
    expect([socket.listenerCount('data'), socket.listenerCount('close')]).toEqual([0, 0])

    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.destroy(new Error('nobody minds'))
    await closed
  })

  it('has nothing to do with what it was detached from', async () => {
    const { ours, at, socket, peer } = await open()
    const remote = { host: peer.localAddress, port: peer.localPort }
    at.detach(() => {})
    const drained = vi.fn<() => void>()
    at.drained(drained)
    at.write(hex`${'anybody there?'}`)
    const quiet = silence()
    expect(await failureOf(ours.sink(quiet.source))).toEqual(new ClosedError())
    expect(await failureOf(iterate(ours).next())).toEqual(new ClosedError())
    await iterate(ours).return?.()
    expect([quiet.state.returned, at.waiting, drained.mock.calls, ours.remoteAddress]).toEqual([true, 0, [], remote])
    expect([socket.destroyed, socket.bytesWritten]).toEqual([false, 0])
    expect(at.socket.eventNames()).toEqual(nobodyListens)
  })

  it('knows when it detaches whether the peer has ended', async () => {
    const { ours, at, peer } = await open()
    peer.end('all I have to say')
    const reader = iterate(ours)
    const { value } = await reader.next()
    await reader.next()
    at.unread(value as Uint8Array)
    const { ahead, ended } = at.detach(() => {})
    expect([String(ahead), ended]).toEqual(['all I have to say', true])
  })

  it.each([
    [
      'somebody reads it',
      (ours: SocketDuplex) =>
        void iterate(ours)
          .next()
          .catch(() => {})
    ],
    ['its sink was called', (ours: SocketDuplex) => void ours.sink(say()).catch(() => {})],
    ['it is broken', (ours: SocketDuplex) => ours.abort(new Error('enough'))],
    ['it is detached', (ours: SocketDuplex) => void transport(ours).detach(() => {})]
  ])('does not detach where %s', async (_, occupy) => {
    const { ours, at } = await open()
    occupy(ours)
    expect(() => at.detach(() => {})).toThrow('not its own')
  })
})

describe('a socket transport', () => {
  it('is told from others', async () => {
    const { ours } = await connected()
    expect(isSocketTransport(ours.transport!)).toBe(true)
    expect(isSocketTransport({ duplex: ours } as unknown as Transport)).toBe(false)
  })

  it('is not that of a duplex made of another', async () => {
    const { ours } = await connected()
    const wrapped = { source: ours.source, sink: () => Promise.resolve(), transport: ours.transport }
    expect(transportOf(wrapped)).toBeUndefined()
  })

  it('names a socket that was destroyed without a reason', async () => {
    const { ours, socket } = await connected()
    const broken = new Promise((resolve) => transport(ours).broken(resolve))
    socket.destroy()
    expect(await broken).toEqual(new ClosedError())
  })
})
