import { once } from 'node:events'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { hex } from '@it-socks/testing'
import { echo, rawClient, start, target, tunnelTo } from './setup.ts'

const roundTrip = async ({ socket, hear }: ReturnType<typeof rawClient>, text: string): Promise<void> => {
  socket.write(text)
  expect(await hear(text.length)).toEqual(hex`${text}`)
}

describe('close', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it('turns new clients away and lets a relay come to its own end', async () => {
    const { server, port, until } = await start()
    const { port: targetPort } = await target(echo)
    const client = await tunnelTo(port, targetPort)
    const closing = server.close({ drain: 600_000 })
    expect(await once(rawClient(port).socket, 'error')).toMatchObject([{ code: 'ECONNREFUSED' }])
    await roundTrip(client, 'still here')
    client.socket.end()
    await closing
    expect(await until('closed')).toMatchObject({ cause: undefined, traffic: { up: 10, down: 10 } })
    expect(server.sessions.size).toBe(0)
  })

  it('resets what has not come to its end when the drain is over', async () => {
    const { server, port, until } = await start()
    const { port: targetPort, first } = await target(echo)
    const client = await tunnelTo(port, targetPort)
    const resets = Promise.all([once(client.socket, 'error'), once(await first, 'error')])
    await server.close({ drain: 20 })
    expect(await until('closed')).toMatchObject({ cause: { name: 'ClosedError', message: 'the server is closing' } })
    expect(await resets).toMatchObject([[{ code: 'ECONNRESET' }], [{ code: 'ECONNRESET' }]])
    expect(server.sessions.size).toBe(0)
  })

  it('resets at once by default, in whatever phase a client is', async () => {
    const { server, port, told } = await start({ dial: () => new Promise(() => {}) })
    const silent = rawClient(port)
    await once(server, 'opened')
    const greeted = rawClient(port)
    greeted.socket.write(hex`05 01 00`)
    await greeted.hear(2)
    const dialling = rawClient(port)
    dialling.socket.write(hex`05 01 00  05 01 00 01 7f000001 0050`)
    await once(server, 'requested')
    await server.close()
    await Promise.all([silent.gone, greeted.gone, dialling.gone])
    const causes = told.filter(({ event }) => event === 'closed').map(({ cause }) => String(cause))
    expect(causes).toEqual(Array.from({ length: 3 }, () => 'ClosedError: the server is closing'))
  })

  it('may be called again, to be done with a drain that takes too long', async () => {
    const { server, port, told } = await start()
    const { port: targetPort } = await target(echo)
    await tunnelTo(port, targetPort)
    const draining = server.close({ drain: Infinity })
    await Promise.all([draining, server.close()])
    await server.close()
    expect(told.filter(({ event }) => event === 'closed')).toHaveLength(1)
  })

  it('waits for ever where it is told to: without a timer, which Node would let go off at once', async () => {
    const { server, port } = await start()
    const { port: targetPort } = await target(echo)
    const client = await tunnelTo(port, targetPort)
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    const closing = server.close({ drain: Infinity })
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
    await roundTrip(client, 'still here')
    client.socket.end()
    await closing
  })

  it('is done at once where nobody is connected, or nothing listens', async () => {
    const { server } = await start()
    await server.close({ drain: 600_000 })
    await server.close({ drain: 600_000 })
    expect(server.sessions.size).toBe(0)
  })

  it('forgets nobody who comes at the same moment', async () => {
    const { server, port, told } = await start()
    const closing = once(server, 'opened').then(() => server.close())
    const clients = Array.from({ length: 20 }, () => rawClient(port))
    await Promise.all([closing, ...clients.map(({ gone }) => gone)])
    expect(server.sessions.size).toBe(0)
    const count = (event: string): number => told.filter((entry) => entry.event === event).length
    expect(count('closed')).toBe(count('opened'))
  })
})
