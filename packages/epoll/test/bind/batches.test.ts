import { createSocket } from 'node:dgram'
import { expect, it, onTestFinished, vi } from 'vitest'
import type { DatagramBinderSettings } from '@it-socks/net'
import type { Address } from '@it-socks/protocol'
import { openDatagramSocket } from '../../../../test/support/datagram-socket.ts'
import { standstill, uncaughtErrors } from '../../../../test/support/process.ts'
import { describeEpoll, epoll } from '../setup.ts'

const kernel = vi.hoisted(() => ({ answer: undefined as number | undefined, calls: 0 }))

// On loopback a socket's buffer is never full: what is sent has arrived.
vi.mock(import('@it-socks/syscall'), async (original) => {
  const real = await original()
  return {
    ...real,
    sendmmsg: (...args: Parameters<typeof real.sendmmsg>): number => {
      kernel.calls += 1
      return kernel.answer ?? real.sendmmsg(...args)
    }
  }
})

const EAGAIN = 11

const open = (settings?: DatagramBinderSettings) => {
  onTestFinished(() => {
    kernel.answer = undefined
  })
  return openDatagramSocket(epoll.datagramBinder(settings))
}

/** Has the kernel tell that it has room: it tells all that holds when anything changes. */
const nudge = async (to: Address): Promise<void> => {
  const socket = createSocket('udp4')
  onTestFinished(() => void socket.close())
  await new Promise((sent) => void socket.send('nudge', to.port, to.host, sent))
}

const send = (from: Awaited<ReturnType<typeof open>>, to: Address, ...texts: string[]): void => {
  for (const text of texts) from.socket.send(Buffer.from(text), to)
}

describeEpoll('a batch of datagrams', () => {
  it('goes on where who receives throws, which nobody catches', async () => {
    const errors = uncaughtErrors()
    const throwing = await epoll.datagramBinder()({
      host: '127.0.0.1',
      received(data) {
        throw new Error(Buffer.from(data).toString())
      }
    })
    onTestFinished(() => throwing.close())
    send(await open(), throwing.localAddress, 'one', 'two', 'three')
    await standstill(() => errors.length)
    expect(errors).toEqual([new Error('one'), new Error('two'), new Error('three')])
  })
})

describeEpoll('a datagram socket whose buffer in the kernel is full', () => {
  it('keeps what is sent, as far as it may, and sends that in order when there is room', async () => {
    const [one, two] = [await open({ queue: 10 }), await open()]
    kernel.answer = -EAGAIN
    send(one, two.socket.localAddress, 'first', 'other')
    await standstill(() => kernel.calls)
    const data = Buffer.from('too much')
    one.socket.send(data, two.socket.localAddress)
    data.fill(0)
    await standstill(() => one.dropped.length)
    expect(one.dropped).toMatchObject([{ name: 'SocksError', message: 'more than 10 bytes wait to be sent' }])
    kernel.answer = undefined
    await nudge(one.socket.localAddress)
    await standstill(() => two.received.length)
    expect(two.texts()).toEqual(['first', 'other'])
    send(one, two.socket.localAddress, 'after')
    await standstill(() => two.received.length)
    expect(two.texts()).toEqual(['first', 'other', 'after'])
  })

  it('sends what comes later after what waits', async () => {
    const [one, two] = [await open(), await open()]
    kernel.answer = -EAGAIN
    send(one, two.socket.localAddress, 'first')
    await standstill(() => kernel.calls)
    kernel.answer = undefined
    send(one, two.socket.localAddress, 'second')
    await nudge(one.socket.localAddress)
    await standstill(() => two.received.length)
    expect(two.texts()).toEqual(['first', 'second'])
  })

  it('forgets what waits when it is closed', async () => {
    const [one, two] = [await open(), await open()]
    kernel.answer = -EAGAIN
    send(one, two.socket.localAddress, 'for nobody')
    await standstill(() => kernel.calls)
    kernel.answer = undefined
    one.socket.close()
    await standstill(() => two.received.length)
    expect([two.texts(), one.dropped]).toEqual([[], []])
  })

  it('sends before it is closed what was sent before', async () => {
    const [one, two] = [await open(), await open()]
    send(one, two.socket.localAddress, 'last words')
    one.socket.close()
    await standstill(() => two.received.length)
    expect(two.texts()).toEqual(['last words'])
  })

  it('sends many at once, of several sockets, each its own', async () => {
    const [one, other, two] = [await open(), await open(), await open()]
    const before = kernel.calls
    const texts = Array.from({ length: 150 }, (_, index) => `${index}`)
    for (const text of texts) send(one, two.socket.localAddress, text)
    send(other, two.socket.localAddress, 'and mine')
    await standstill(() => two.received.length)
    expect(two.texts()).toEqual([...texts, 'and mine'])
    expect(kernel.calls - before).toBe(4)
  })
})
