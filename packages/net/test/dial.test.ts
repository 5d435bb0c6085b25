import { once } from 'node:events'
import type { Socket } from 'node:net'
import { constants } from 'node:os'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { dial, portable, sockets, type Open, type SocketDuplex } from '@it-socks/net'
import { RefusedError } from '@it-socks/protocol'
import { cancellation } from '@it-socks/stage'
import { failureOf, say } from '../../../test/support/duplex.ts'
import { freePort } from '../../../test/support/port.ts'
import { openResources, standstill } from '../../../test/support/process.ts'
import { portOf, serving } from '../../../test/support/sockets.ts'

/** Both ways to connect that there are; what every engine's `dial` does is in `test/engines`. */
const engines = [portable, sockets]

const loopback = { host: '127.0.0.1' }

/** A `Resolve` that knows these addresses for every name. */
const table =
  (...addresses: string[]) =>
  async (): Promise<string[]> =>
    addresses

describe.each(engines)('dial of $name', ({ dial }) => {
  it.each([-1, 65_536, 1.5, NaN])('refuses a port that is none: %s', async (port) => {
    expect(await failureOf(dial()({ ...loopback, port }))).toMatchObject({ code: 'ERR_SOCKET_BAD_PORT' })
  })

  it('takes -0 for 0', async () => {
    expect(await failureOf(dial()({ ...loopback, port: -0 }))).toBeInstanceOf(RefusedError)
  })

  it.each(['127.0.0.1', '::1'])('keeps of that all that Node tells of it: %s', async (host) => {
    const port = await freePort(host)
    const { cause } = (await failureOf(dial()({ host, port }))) as RefusedError
    expect(cause).toMatchObject({
      message: expect.stringContaining(`connect ECONNREFUSED ${host === '::1' ? '' : host}`),
      code: 'ECONNREFUSED',
      errno: -constants.errno.ECONNREFUSED,
      syscall: 'connect',
      address: host,
      port
    })
  })

  it.each([
    ['192.0.2.1', '127.0.0.1'],
    ['2001:db8::1', '::1']
  ])('says that %s is no address of this machine', async (localAddress, host) => {
    const port = portOf(await serving({ host }))
    const before = await standstill(openResources)
    const error = await failureOf(dial({ localAddress })({ host, port }))
    expect(error).toMatchObject({
      reply: 'network-unreachable',
      cause: { code: 'EADDRNOTAVAIL', errno: -constants.errno.EADDRNOTAVAIL, syscall: 'bind', address: localAddress }
    })
    expect(await standstill(openResources)).toBe(before)
  })

  it.each([
    ['::1', '127.0.0.1', 4],
    ['127.0.0.1', '::1', 6]
  ] as const)('cannot dial from %s to %s, and leaves nothing', async (localAddress, host, family) => {
    const port = portOf(await serving({ host }))
    const before = await standstill(openResources)
    const error = await failureOf(dial({ localAddress, family })({ host, port }))
    expect(error).toMatchObject({ name: 'RefusedError', cause: { code: expect.stringMatching(/^E/) } })
    expect(await standstill(openResources)).toBe(before)
  })

  it('dials IPv6, and knows both ends of it', async () => {
    const server = await serving({ host: '::1' })
    const accepted = once(server, 'connection')
    const destination = { host: '::1', port: portOf(server) }
    const tunnel = await dial({ localAddress: '::1' })(destination)
    const [target] = (await accepted) as [Socket]
    expect(tunnel.remoteAddress).toEqual(destination)
    expect(tunnel.localAddress).toEqual({ host: '::1', port: target.remotePort })
    tunnel.abort?.(new Error('enough'))
  })
})

describe('an `open` of one’s own', () => {
  const opened = (host: string): SocketDuplex => ({
    source: say() as AsyncIterable<Uint8Array>,
    sink: () => Promise.resolve(),
    abort: () => {},
    remoteAddress: { host, port: 80 }
  })

  it('connects to the address, from the local address, with the dial’s signal', async () => {
    const open = vi.fn<Open>(async ({ host }) => opened(host))
    const direct = dial({ open, localAddress: '192.0.2.1' })
    const tunnel = await direct({ host: '192.0.2.9', port: 80 })
    expect(tunnel.remoteAddress).toEqual({ host: '192.0.2.9', port: 80 })
    const [address, options] = open.mock.calls[0] ?? []
    expect(address).toEqual({ host: '192.0.2.9', port: 80 })
    expect(options).toMatchObject({ localAddress: '192.0.2.1', signal: { aborted: false } })
  })

  it('races like any other, and what it opens too late is aborted', async () => {
    const late = opened('192.0.2.1')
    const abort = vi.spyOn(late, 'abort')
    let come!: (late: SocketDuplex) => void
    const open: Open = ({ host }) =>
      host === '192.0.2.1'
        ? new Promise((resolve) => {
            come = resolve
          })
        : Promise.resolve(opened(host))
    const direct = dial({ open, resolve: table('192.0.2.1', '192.0.2.2'), attemptDelay: 0 })
    const tunnel = await direct({ host: 'name', port: 80 })
    expect(tunnel.remoteAddress?.host).toBe('192.0.2.2')
    come(late)
    await turn()
    expect(abort).toHaveBeenCalledOnce()
  })

  it.each(['signal', 'cancellation'] as const)('is given up by the %s', async (how) => {
    const reason = new Error('the client has gone')
    const owner = cancellation()
    const open: Open = (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error))
      })
    const options = how === 'signal' ? { signal: owner.signal } : { cancellation: owner }
    const dialled = failureOf(dial({ open })({ host: '192.0.2.9', port: 80 }, options))
    owner.abort(reason)
    expect(await dialled).toBe(reason)
  })

  it('has its system errors named as those of the target', async () => {
    const cause = Object.assign(new Error('connect ENETUNREACH'), { code: 'ENETUNREACH', syscall: 'connect' })
    const error = await failureOf(dial({ open: () => Promise.reject(cause) })({ host: '192.0.2.9', port: 80 }))
    expect(error).toMatchObject({ reply: 'network-unreachable', cause })
  })
})

describe.each(engines)('the signal of $name', ({ dial }) => {
  const reason = new Error('the client has gone')

  it('gives up at any moment of connecting, and leaves no socket', async () => {
    const server = await serving(loopback)
    server.on('connection', (socket) => socket.destroy())
    const destination = { ...loopback, port: portOf(server) }
    const before = await standstill(openResources)
    const dialled = async (jobs: number, turns: number): Promise<unknown> => {
      const owner = cancellation()
      const connecting = dial()(destination, { cancellation: owner }).then(
        (tunnel) => {
          tunnel.abort?.(reason)
          return 'connected'
        },
        (error: unknown) => error
      )
      for (let job = 0; job < jobs; job++) await Promise.resolve()
      for (let waited = 0; waited < turns; waited++) await turn()
      owner.abort(reason)
      return connecting
    }
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, (_, index) => dialled(index % 10, Math.floor(index / 10)))
    )
    expect(outcomes[0]).toBe(reason)
    expect(outcomes.filter((outcome) => outcome !== reason && outcome !== 'connected')).toEqual([])
    expect(await standstill(openResources)).toBe(before)
  })
})
