import { describe, expect, it } from 'vitest'
import { EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP, loop } from '@it-socks/syscall'
import { batch, edges, hear, pair, recorder, say, shut, uncaught } from './setup.ts'

describe('the loop', () => {
  it('tells all that holds when it begins to watch, and then each change once', async () => {
    const [ours, peer] = pair()
    const { told, watcher, next } = recorder()
    loop.watch(ours, edges, watcher)
    await next()
    expect(told).toEqual([EPOLLOUT])
    say(peer, 'hello')
    await next()
    expect(told).toEqual([EPOLLOUT, EPOLLIN | EPOLLOUT])
    // It is not read, and not told again.
    await batch()
    await batch()
    expect(told.length).toBe(2)
    say(peer, '!')
    await next()
    expect(hear(ours)).toBe('hello!')
    expect(told.length).toBe(3)
  })

  it('tells of an end', async () => {
    const [ours, peer] = pair()
    const { told, watcher, next } = recorder()
    loop.watch(ours, edges, watcher)
    await next()
    shut(peer)
    await next()
    expect(told.at(-1)! & (EPOLLRDHUP | EPOLLHUP)).toBe(EPOLLRDHUP | EPOLLHUP)
  })

  it('tells another from when it is passed on', async () => {
    const [ours, peer] = pair()
    const [first, second] = [recorder(), recorder()]
    loop.watch(ours, edges, first.watcher)
    await first.next()
    expect(loop.pass(ours, second.watcher)).toBe(true)
    say(peer, 'hello')
    await second.next()
    expect([first.told.length, second.told]).toEqual([1, [EPOLLIN | EPOLLOUT]])
  })

  it('passes on nothing that it does not watch', () => {
    const [ours] = pair()
    expect(loop.pass(ours, recorder().watcher)).toBe(false)
  })

  it('tells nothing more of a descriptor that is closed in the same batch, nor of another that has its number then', async () => {
    const [one, onePeer] = pair()
    const [other, otherPeer] = pair()
    const newer = recorder()
    const older = new Map<number, ReturnType<typeof recorder>>()
    let closed: number | undefined
    for (const [ours, victim] of [
      [one, other],
      [other, one]
    ] as const) {
      const record = recorder((events) => {
        if ((events & EPOLLIN) === 0 || closed !== undefined) return
        closed = victim
        shut(victim)
        // The kernel gives the lowest number that is free.
        const again = pair()
        expect(again).toContain(victim)
        loop.watch(victim, edges, newer.watcher)
      })
      older.set(ours, record)
      loop.watch(ours, edges, record.watcher)
    }
    await Promise.all([...older.values()].map(({ next }) => next()))
    say(onePeer, '1')
    say(otherPeer, '2')
    await newer.next()
    expect(newer.told).toEqual([EPOLLOUT])
    expect(older.get(closed!)!.told).toEqual([EPOLLOUT])
  })

  it('tells who has more to do again, after the others', async () => {
    const order: string[] = []
    const [ours, peer] = pair()
    const [busyFd] = pair()
    const busy = recorder((events) => {
      order.push(`busy ${events}`)
      if (busy.told.length < 3) loop.again(busy.watcher)
    })
    const { watcher, next } = recorder(() => order.push('other'))
    loop.watch(ours, edges, watcher)
    await next()
    order.length = 0
    say(peer, 'hello')
    loop.watch(busyFd, edges, busy.watcher)
    while (busy.told.length < 3) await batch()
    expect(order.filter((entry) => entry !== 'other')).toEqual([`busy ${EPOLLOUT}`, 'busy 0', 'busy 0'])
    expect(order.indexOf('other')).toBeLessThan(order.indexOf('busy 0'))
  })

  it('tells who asks for it without anything being watched', async () => {
    const { told, watcher, next } = recorder()
    loop.again(watcher)
    await next()
    expect(told).toEqual([0])
  })

  it('calls what is to come after a batch, then what that asks for', async () => {
    const order: string[] = []
    const [ours] = pair()
    const { watcher } = recorder(() => {
      loop.afterBatch(() => {
        order.push('first')
        loop.afterBatch(() => order.push('second'))
      })
      order.push('told')
    })
    loop.watch(ours, edges, watcher)
    while (order.length < 3) await batch()
    expect(order).toEqual(['told', 'first', 'second'])
  })

  it('has promise jobs run between batches', async () => {
    const [ours, peer] = pair()
    const order: string[] = []
    const { watcher, next } = recorder(() => {
      order.push('told')
      void Promise.resolve().then(() => order.push('then'))
    })
    loop.watch(ours, edges, watcher)
    await next()
    say(peer, '1')
    await next()
    await batch()
    expect(order).toEqual(['told', 'then', 'told', 'then'])
  })

  it('goes on with the others where a watcher throws', async () => {
    const [one, other] = [pair()[0], pair()[0]]
    const mistake = new Error('a mistake')
    const thrown = uncaught()
    const { watcher, next } = recorder()
    loop.watch(one, edges, {
      ready() {
        throw mistake
      }
    })
    loop.watch(other, edges, watcher)
    await next()
    expect(await thrown).toBe(mistake)
  })

  it('goes on where what is to come after a batch throws', async () => {
    const mistake = new Error('a mistake')
    const thrown = uncaught()
    loop.afterBatch(() => {
      throw mistake
    })
    expect(await thrown).toBe(mistake)
    await batch()
  })

  it('watches more than it can tell in one batch', async () => {
    const records = Array.from({ length: 600 }, () => recorder())
    for (const { watcher } of records) loop.watch(pair()[0], edges, watcher)
    while (records.some(({ told }) => told.length === 0)) await batch()
    expect(records.every(({ told }) => told.length === 1)).toBe(true)
  })

  it('counts what it watches', () => {
    const [ours] = pair()
    const before = loop.size
    loop.watch(ours, edges, recorder().watcher)
    expect(loop.size).toBe(before + 1)
    shut(ours)
    expect(loop.size).toBe(before)
  })

  it('watches nothing twice', () => {
    const [ours] = pair()
    loop.watch(ours, edges, recorder().watcher)
    expect(() => loop.watch(ours, edges, recorder().watcher)).toThrow(
      expect.objectContaining({ code: 'EEXIST', syscall: 'epoll_ctl' })
    )
  })

  it('does not watch what is no descriptor', () => {
    const before = loop.size
    expect(() => loop.watch(1_000_000, edges, recorder().watcher)).toThrow(
      expect.objectContaining({ code: 'EBADF', errno: -9, syscall: 'epoll_ctl' })
    )
    expect(loop.size).toBe(before)
  })
})
