import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { hex } from '@it-socks/testing'
import { echo, heldDial, rawClient, start, target, tunnelTo } from './setup.ts'

describe('maxConnections', () => {
  it('turns away those who are too many, by a reset, and says who', async () => {
    const { server, port, told, until } = await start({ maxConnections: 1 })
    const { port: targetPort } = await target(echo)
    const welcome = await tunnelTo(port, targetPort)

    const rejected = once(server, 'rejected')
    const second = rawClient(port)
    const broken = once(second.socket, 'error')
    expect(await rejected).toEqual([{ host: '127.0.0.1', port: expect.any(Number) }])
    expect(await broken).toMatchObject([{ code: 'ECONNRESET' }])
    expect(server.sessions.size).toBe(1)

    welcome.socket.end()
    await until('closed')
    await tunnelTo(port, targetPort)
    expect(told.filter(({ event }) => event === 'opened').map(({ id }) => id)).toEqual([1, 2])
  })
})

describe('handshakeTimeout', () => {
  it('ends a client that connects and says nothing, without a word', async () => {
    const { port, told, until } = await start({ handshakeTimeout: 20 })
    const client = rawClient(port)
    expect(await client.hear(1)).toEqual(hex``)
    expect(await until('closed')).toMatchObject({
      cause: { name: 'DeadlineError', message: 'the handshake took longer than 20 ms' }
    })
    expect(told.map(({ event }) => event)).toEqual(['opened', 'closed'])
  })

  it('ends a client that authenticates and asks for nothing, with a reply', async () => {
    const { port, until } = await start({ handshakeTimeout: 20 })
    const client = rawClient(port)
    client.socket.write(hex`05 01 00  05 01 00`)
    expect(await client.hear(13)).toEqual(hex`05 00  05 06 00 01 00000000 0000`)
    expect(await until('closed')).toMatchObject({ cause: { name: 'DeadlineError' } })
  })

  it('counts neither the dial nor the relay', async () => {
    const { dial, begun, fail } = heldDial()
    const { port, until, server } = await start({ handshakeTimeout: 20, dial })
    const slow = rawClient(port)
    slow.socket.write(hex`05 01 00  05 01 00 01 7f000001 0050`)
    await begun
    // Meanwhile another client's deadline passes.
    rawClient(port)
    expect(await until('closed')).toMatchObject({ id: 2, cause: { name: 'DeadlineError' } })
    expect([...server.sessions].map(({ id }) => id)).toEqual([1])
    fail()
    expect(await until('closed', 2)).toMatchObject({ id: 1, cause: { message: 'as it happens' } })
  })

  it('may be infinite, as may be the time for a relay to be idle', async () => {
    const { port, until } = await start({ handshakeTimeout: Infinity, idleTimeout: Infinity })
    const { port: targetPort } = await target(echo)
    const client = await tunnelTo(port, targetPort)
    client.socket.end('hello')
    expect(await client.hear(6)).toEqual(hex`${'hello'}`)
    expect((await until('closed')).cause).toBeUndefined()
  })
})

describe('idleTimeout', () => {
  it('resets both sides of a relay where nothing goes either way', async () => {
    const { port, until } = await start({ idleTimeout: 20 })
    const { port: targetPort, first } = await target(echo)
    const client = await tunnelTo(port, targetPort)
    const resets = Promise.all([once(client.socket, 'error'), once(await first, 'error')])
    expect(await until('closed')).toMatchObject({ cause: { name: 'IdleError' } })
    expect(await resets).toMatchObject([[{ code: 'ECONNRESET' }], [{ code: 'ECONNRESET' }]])
  })
})
