import { once } from 'node:events'
import type { Socket } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { portable } from '@it-socks/net'
import type { Flow } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import { connected } from '../../../test/support/connected.ts'
import { all, iterate } from '../../../test/support/duplex.ts'
import { descriptors, standstill } from '../../../test/support/process.ts'
import { hearText } from '../../../test/support/sockets.ts'
import { between, describeEpoll, epoll as engine } from './setup.ts'

const reason = new Error('enough')

/** Hears of a relay. */
const listener = () => {
  const traffic = { up: 0, down: 0 }
  const told: unknown[] = []
  let settle = (): void => {}
  const over = new Promise<void>((resolve) => {
    settle = resolve
  })
  const flow: Flow = {
    passed(direction, length) {
      traffic[direction] += length
    },
    ended() {
      told.push('ended')
      settle()
    },
    failed(error) {
      told.push(error)
      settle()
    }
  }
  return { traffic, told, over, flow }
}

/** Two connections that are joined. */
const joined = async () => {
  const pair = await between(engine)
  const heard = listener()
  const { client, target } = pair
  expect(client.transport?.join(target.transport!, heard.flow)).toBe(true)
  onTestFinished(() => client.abort?.(reason))
  return { ...pair, ...heard }
}

/** Resolves when a socket is closed: a reset that comes together with data libuv takes for an end. */
const closed = (socket: Socket): Promise<unknown> =>
  new Promise((resolve) =>
    socket
      .on('error', () => {})
      .on('end', () => socket.end())
      .on('close', resolve)
      .resume()
  )

const reset = (socket: Socket): Promise<unknown> => once(socket.resume(), 'error').then(([error]) => error as unknown)

describeEpoll('two connections that are joined', () => {
  it('end one after the other, each with what was said, and leave no descriptor', async () => {
    const before = await descriptors()
    const { clientPeer, targetPeer, over, told, traffic } = await joined()
    const question = hearText(targetPeer)
    clientPeer.end('question')
    expect(await question).toBe('question')
    const answer = hearText(clientPeer)
    targetPeer.write('an ')
    targetPeer.end('answer')
    expect(await answer).toBe('an answer')
    await over
    expect([told, traffic]).toEqual([['ended'], { up: 8, down: 9 }])
    // The listener of the target is open still.
    expect(await descriptors()).toBeLessThanOrEqual(before + 1)
  })

  it('say first what was read and given back', async () => {
    const { client, target, clientPeer, targetPeer } = await between(engine)
    const { flow, over, traffic } = listener()
    clientPeer.write('a request, more')
    const { value } = await iterate(client).next()
    client.transport!.unread((value as Uint8Array).subarray(9))
    client.transport!.join(target.transport!, flow)
    const heard = hearText(targetPeer)
    clientPeer.end(' and more')
    expect(await heard).toBe(', more and more')
    targetPeer.end()
    clientPeer.resume()
    await over
    expect(traffic).toEqual({ up: 15, down: 0 })
  })

  // The kernel told of the end when it told of the bytes, and tells it once.
  it('end also where the end of one came before, together with bytes that nobody has read', async () => {
    const { client, target, clientPeer, targetPeer } = await between(engine)
    const { flow, over, told, traffic } = listener()
    await new Promise<void>((sent) => void clientPeer.end('all at once', sent))
    await descriptors()
    client.transport!.join(target.transport!, flow)
    expect(await hearText(targetPeer)).toBe('all at once')
    targetPeer.end()
    clientPeer.resume()
    await over
    expect([told, traffic.up]).toEqual([['ended'], 11])
  })

  it('end also where the end of one has been read', async () => {
    const { client, target, clientPeer, targetPeer } = await between(engine)
    const { flow, over, told } = listener()
    clientPeer.end()
    expect(await iterate(client).next()).toEqual({ done: true })
    client.transport!.join(target.transport!, flow)
    expect(await hearText(targetPeer)).toBe('')
    targetPeer.end('and now')
    expect(await hearText(clientPeer)).toBe('and now')
    await over
    expect(told).toEqual(['ended'])
  })

  it.each(['client', 'target'] as const)('are both reset when the %s is aborted, and nobody is told', async (which) => {
    const pair = await joined()
    const broken = [reset(pair.clientPeer), reset(pair.targetPeer)]
    pair[which].abort?.(reason)
    pair.client.abort?.(reason)
    expect(await Promise.all(broken)).toMatchObject([{ code: 'ECONNRESET' }, { code: 'ECONNRESET' }])
    expect(pair.told).toEqual([])
  })

  it('are both reset where one breaks, and that is told', async () => {
    const { client, target, clientPeer, targetPeer, over, told } = await joined()
    const broken = reset(clientPeer)
    targetPeer.resetAndDestroy()
    await over
    client.abort?.(told[0])
    target.abort?.(told[0])
    expect(told).toMatchObject([{ code: 'ECONNRESET' }])
    expect(await broken).toMatchObject({ code: 'ECONNRESET' })
  })

  it('are both reset also by who counts the first bytes', async () => {
    const { client, target, clientPeer, targetPeer } = await between(engine)
    const { flow, told } = listener()
    const broken = [reset(clientPeer), closed(targetPeer)]
    client.transport!.unread(hex`${'too much'}`)
    client.transport!.join(target.transport!, { ...flow, passed: () => target.abort?.(reason) })
    await Promise.all(broken)
    expect(told).toEqual([])
  })
})

describeEpoll('a connection that has something to send still', () => {
  const large = new Uint8Array(16 * 1024 * 1024).map((_, index) => index % 251)

  /** Joined while much waits for the client, who is deaf. */
  const leaving = async () => {
    const pair = await between(engine)
    const heard = listener()
    pair.clientPeer.pause()
    pair.client.transport!.write(large)
    expect(pair.client.transport!.waiting).toBeGreaterThan(0)
    expect(pair.client.transport!.join(pair.target.transport!, heard.flow)).toBe(true)
    return { ...pair, ...heard }
  }

  it('is joined when that has left', async () => {
    const { clientPeer, targetPeer, over, told, traffic } = await leaving()
    targetPeer.end('behind it')
    let length = 0
    let last = Buffer.alloc(0)
    clientPeer.on('data', (bytes) => {
      length += bytes.length
      last = Buffer.concat([last, bytes]).subarray(-9)
    })
    clientPeer.resume()
    await once(clientPeer, 'end')
    expect([length, last.toString()]).toEqual([large.length + 9, 'behind it'])
    clientPeer.end()
    targetPeer.resume()
    await over
    expect([told, traffic]).toEqual([['ended'], { up: 0, down: 9 }])
  })

  it.each(['client', 'target'] as const)('may be aborted before: the %s', async (which) => {
    const before = await descriptors()
    const pair = await leaving()
    const broken = [closed(pair.clientPeer), reset(pair.targetPeer)]
    pair[which].abort?.(reason)
    await Promise.all(broken)
    expect(pair.told).toEqual([])
    expect(await descriptors()).toBeLessThanOrEqual(before + 1)
  })

  it('may break before, which is told', async () => {
    const before = await descriptors()
    const { client, target, clientPeer, targetPeer, over, told } = await leaving()
    const broken = reset(targetPeer)
    clientPeer.resetAndDestroy()
    await over
    client.abort?.(told[0])
    target.abort?.(told[0])
    expect(told).toMatchObject([{ code: expect.stringMatching(/^(?:ECONNRESET|EPIPE)$/) }])
    expect(await broken).toMatchObject({ code: 'ECONNRESET' })
    expect(await descriptors()).toBeLessThanOrEqual(before + 1)
  })
})

describeEpoll('a connection is not joined', () => {
  const { flow } = listener()

  it('with one of another engine', async () => {
    const { ours } = await connected(engine)
    const { ours: other } = await connected(portable)
    expect(ours.transport?.join(other.transport!, flow)).toBe(false)
  })

  it('while somebody reads or writes', async () => {
    const { client, target, clientPeer, targetPeer } = await between(engine)
    const reading = iterate(client).next()
    expect(client.transport?.join(target.transport!, flow)).toBe(false)
    clientPeer.write('x')
    await reading
    const heard = hearText(targetPeer)
    const sent = target.sink(client.source)
    expect(client.transport?.join(target.transport!, flow)).toBe(false)
    clientPeer.end('y')
    await sent
    expect(await heard).toBe('y')
  })

  it('when it is broken', async () => {
    const { client, target } = await between(engine)
    client.abort?.(reason)
    expect(client.transport?.join(target.transport!, flow)).toBe(false)
    expect(target.transport?.join(client.transport!, flow)).toBe(false)
  })
})

describeEpoll('a descriptor whose number is used again', () => {
  // Both have something to tell in one batch; the first one's news closes the second, whose number a third gets.
  it('has nothing to do with what its number meant before, in the same batch', async () => {
    const { ours: first, peer: firstPeer } = await connected(engine)
    const { ours: second, peer: secondPeer } = await connected(engine)
    const opening = new Promise<Awaited<ReturnType<typeof connected>>>((resolve) => {
      first.transport?.broken(() => {
        second.abort(reason)
        resolve(connected(engine))
      })
    })
    secondPeer.on('error', () => {}).end('for nobody')
    firstPeer.resetAndDestroy()
    const { ours: third, peer } = await opening
    const reading = all(third.source)
    await standstill(() => peer.bytesRead)
    peer.end('for the third')
    expect((await reading).toString()).toBe('for the third')
  })
})
