import { once } from 'node:events'
import { fstatSync } from 'node:fs'
import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, it, vi } from 'vitest'
import { isDescriptorTransport, type SocketDuplex } from '@it-socks/net'
import { ClosedError } from '@it-socks/protocol'
import { transportOf, type Transport } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import { descriptorTransport } from '../../../test/support/connected.ts'
import { all, failureOf, iterate, say, silence, textOf } from '../../../test/support/duplex.ts'
import { countClosed, standstill, uncaughtErrors, until } from '../../../test/support/process.ts'
import { hearText, socketPath } from '../../../test/support/sockets.ts'
import { opened, ways, type Where } from './setup.ts'

/** As many bytes as a socket and its peer hold and more, none like its neighbour. */
const much = Uint8Array.from({ length: 16_000_000 }, (_, index) => index ^ (index >> 8))

describe.each(ways)('the transport of a handle, %s', (_, prepare) => {
  const open = (where?: Where) => opened(where, prepare)

  it.each([
    ['an array', hex`${'hello'}`],
    ['a list', new Uint8ArrayList(hex`${'hel'}`, hex`${'lo'}`)]
  ])('writes %s', async (_, bytes) => {
    const { ours, at, peer } = await open()
    const heard = hearText(peer)
    at.write(bytes)
    await ours.sink(say())
    expect(await heard).toBe('hello')
  })

  it('writes on a unix socket', async () => {
    const { ours, at, peer } = await open(await socketPath())
    const heard = hearText(peer)
    at.write(hex`${'hello'}`)
    await ours.sink(say())
    expect(await heard).toBe('hello')
  })

  it('writes what is overwritten as soon as it has returned', async () => {
    const { ours, at, peer } = await open()
    const bytes = Uint8Array.from(much)
    at.write(bytes)
    bytes.fill(0)
    at.write(hex`${'the end'}`)
    const heard: Uint8Array[] = []
    peer.on('data', (chunk) => heard.push(chunk))
    await Promise.all([ours.sink(say()), once(peer, 'end')])
    expect(Buffer.concat(heard).equals(Buffer.concat([much, hex`${'the end'}`]))).toBe(true)
  })

  it('writes in order, also where there has come to be room for what is written later', async () => {
    const { ours, at, peer } = await open()
    at.write(much)
    const heard: Uint8Array[] = []
    peer.on('data', (chunk) => {
      heard.push(chunk)
      // The kernel would take it, ahead of what still waits.
      if (at.waiting > 0) at.write(hex`${'later'}`)
    })
    await once(peer, 'data')
    await until(() => at.waiting === 0)
    await Promise.all([ours.sink(say()), once(peer, 'end')])
    const all = Buffer.concat(heard)
    expect(all.subarray(0, much.length).equals(much)).toBe(true)
    expect(all.subarray(much.length).toString()).toMatch(/^(?:later)+$/)
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

  it('tells that nothing waits any more also where its end follows', async () => {
    const { ours, at, peer } = await open()
    peer.pause()
    at.write(much)
    const drained = new Promise<void>((resolve) => at.drained(resolve))
    const sent = ours.sink(say())
    peer.resume()
    await Promise.all([drained, sent])
    expect(at.waiting).toBe(0)
  })

  it('says nothing of what waits where it breaks', async () => {
    const { ours, at, peer } = await open()
    peer.pause()
    at.write(much)
    const drained = vi.fn<() => void>()
    at.drained(drained)
    const closed = await countClosed()
    ours.abort(new Error('enough'))
    expect(at.waiting).toBe(0)
    peer.destroy()
    await closed(2)
    expect(drained).not.toHaveBeenCalled()
  })

  it('says nothing of what waits where it cannot be written any more', async () => {
    const { at, peer } = await open()
    peer.pause()
    at.write(much)
    const drained = vi.fn<() => void>()
    at.drained(drained)
    const closed = await countClosed()
    const broken = new Promise((resolve) => at.broken(resolve))
    // Nobody reads: it is what waits to be written that tells.
    peer.resetAndDestroy()
    at.drained(drained)
    expect(await broken).toMatchObject({ code: expect.stringMatching(/^(?:ECONNRESET|EPIPE)$/), syscall: 'write' })
    at.drained(drained)
    await closed(2)
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
    const { ours, at } = await open()
    const reason = new Error('enough')
    ours.abort(reason)
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
    const closed = await countClosed()
    one.ours.abort(new Error('enough'))
    one.peer.destroy()
    other.peer.resume().end()
    await Promise.all([all(other.ours.source), other.ours.sink(say()), closed(4)])
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
    const first = await reader.next()
    one.peer.write('second')
    other.peer.write('third!')
    const second = await reader.next()
    const third = await iterate(other.ours).next()
    expect([first, second, third].map(textOf)).toEqual(['first', 'second', 'third!'])
  })

  it('is closed where it is aborted as its end leaves behind much', async () => {
    const { ours, at, peer } = await open()
    at.write(much)
    const sent = failureOf(ours.sink(say()))
    const closed = await countClosed()
    expect(at.waiting).toBeGreaterThan(0)
    peer.resume()
    await until(() => at.waiting === 0)
    const reason = new Error('enough')
    ours.abort(reason)
    expect(at.descriptor).toBeUndefined()
    // It may have left by now: nobody but libuv knows.
    await sent
    expect(await failureOf(iterate(ours).next())).toBe(reason)
    peer.destroy()
    await closed(2)
  })

  it('detaches: leaves what is not consumed, closes its own descriptor, and aborts elsewhere', async () => {
    const { ours, at, peer } = await open()
    const reader = iterate(ours)
    peer.write('hello')
    const { value } = await reader.next()
    at.unread(value!.subarray(2))
    at.unread(new Uint8Array())
    expect(at.detachable).toBe(true)
    const closed = await countClosed()
    const abort = vi.fn<(reason: unknown) => void>()
    const { ahead, ended } = at.detach(abort)
    expect([at.detachable, at.descriptor, ahead.length]).toEqual([false, undefined, 1])
    expect([Buffer.concat(ahead).toString(), ended]).toEqual(['llo', false])
    expect(await hearText(peer)).toBe('')
    peer.destroy()
    await closed(2)

    const reason = new Error('enough')
    ours.abort(reason)
    expect(abort.mock.calls).toEqual([[reason]])
  })

  it('detaches with what has come since somebody read', async () => {
    const { ours, at, peer } = await open()
    const reader = iterate(ours)
    peer.write('hello')
    await reader.next()
    peer.write(' world')
    await standstill(() => peer.bytesWritten)
    const { ahead, ended } = at.detach(() => {})
    expect([Buffer.concat(ahead).toString(), ended]).toEqual([' world', false])
  })

  it('leaves in the kernel what nobody has asked for', async () => {
    const { at, peer } = await open()
    peer.write('hello')
    await standstill(() => peer.bytesWritten)
    expect(at.detach(() => {})).toEqual({ ahead: [], ended: false })
  })

  it('has nothing to do with what it was detached from', async () => {
    const { ours, at, peer } = await open()
    const heard = hearText(peer)
    const remote = { host: peer.localAddress, port: peer.localPort }
    at.detach(() => {})
    const [drained, broken] = [vi.fn<() => void>(), vi.fn<(error: unknown) => void>()]
    at.drained(drained)
    at.broken(broken)
    at.write(hex`${'anybody there?'}`)
    const quiet = silence()
    expect(await failureOf(ours.sink(quiet.source))).toEqual(new ClosedError())
    expect(await failureOf(iterate(ours).next())).toEqual(new ClosedError())
    await iterate(ours).return?.()
    expect([quiet.state.returned, at.waiting, ours.remoteAddress]).toEqual([true, 0, remote])
    expect(await heard).toBe('')
    expect([drained.mock.calls, broken.mock.calls]).toEqual([[], []])
  })

  it('knows when it detaches whether the peer has ended', async () => {
    const { ours, at, peer } = await open()
    peer.end('all I have to say')
    const reader = iterate(ours)
    const { value } = await reader.next()
    await reader.next()
    at.unread(value as Uint8Array)
    const { ahead, ended } = at.detach(() => {})
    expect([Buffer.concat(ahead).toString(), ended]).toEqual(['all I have to say', true])
    expect(await failureOf(reader.next())).toEqual(new ClosedError())
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
    ['it is detached', (ours: SocketDuplex) => void descriptorTransport(ours).detach(() => {})]
  ])('does not detach where %s', async (_, occupy) => {
    const { ours, at } = await open()
    occupy(ours)
    expect(() => at.detach(() => {})).toThrow('not its own')
  })
})

describe('a descriptor transport', () => {
  it('is told from others', async () => {
    const { ours, at } = await opened()
    expect(isDescriptorTransport(at)).toBe(true)
    expect(isDescriptorTransport({ duplex: ours } as unknown as Transport)).toBe(false)
  })

  it('is not that of a duplex made of another', async () => {
    const { ours, at } = await opened()
    expect(at.duplex).toBe(ours)
    const wrapped = { source: ours.source, sink: () => Promise.resolve(), transport: at }
    expect(transportOf(wrapped)).toBeUndefined()
  })

  it.each([
    ['TCP', async () => undefined],
    ['unix', socketPath]
  ])('names the descriptor until it is closed: %s', async (_, where) => {
    const { ours, at } = await opened(await where())
    const { descriptor } = at
    expect(fstatSync(descriptor!).isSocket()).toBe(true)
    ours.abort(new Error('enough'))
    expect(() => fstatSync(descriptor!)).toThrow('EBADF')
    expect(at.descriptor).toBeUndefined()
  })
})

it('whoever waits for room and throws has thrown out of the event loop; the connection goes on', async () => {
  const { ours, at, peer } = await opened()
  const error = new Error('a bug of somebody’s')
  const thrown = uncaughtErrors()
  at.write(much)
  at.drained(() => {
    throw error
  })
  let heard = 0
  peer.on('data', (chunk) => {
    heard += chunk.length
  })
  await until(() => thrown.length > 0)
  expect(thrown).toEqual([error])
  await Promise.all([ours.sink(say(hex`${'and more'}`)), once(peer, 'end')])
  expect(heard).toBe(much.length + 8)
})

it('whoever hears that it broke and throws has thrown out of the event loop; nobody else is kept from it', async () => {
  const { ours, at, peer } = await opened()
  const error = new Error('a bug of somebody’s')
  const reading = failureOf(iterate(ours).next())
  const thrown = uncaughtErrors()
  at.broken(() => {
    throw error
  })
  const closed = await countClosed()
  peer.resetAndDestroy()
  await until(() => thrown.length > 0)
  expect(thrown).toEqual([error])
  expect(await reading).toMatchObject({ code: 'ECONNRESET' })
  await closed(2)
})
