import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { usernamePassword, users } from '@it-socks/auth'
import { ClosedError, DeadlineError } from '@it-socks/protocol'
import type { Dial } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import { freePort } from '../../../test/support/port.ts'
import { connectTo, echo, portBytes, rawClient, start, target, tunnelTo, type Told } from './setup.ts'

const events = (told: readonly Told[]): string[] => told.map(({ event }) => event)
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

describe('the events of a session that goes well', () => {
  it('come in order, each with what is known by then', async () => {
    const methods = [usernamePassword({ verify: users({ alice: 'open sesame' }) })]
    const { port, told, until, server } = await start({ methods })
    const { port: targetPort, peers } = await target(echo)
    const client = rawClient(port)
    client.socket.write(hex`05 01 02`)
    await client.hear(2)
    client.socket.write(hex`01 05 ${'alice'} 0b ${'open sesame'}`)
    await client.hear(2)
    client.socket.write(connectTo(targetPort))
    const reply = await client.hear(10)
    expect(server.sessions.size).toBe(1)
    const clientPort = client.socket.localPort
    client.socket.end('hello')
    expect(text(await client.hear(5))).toBe('hello')
    await until('closed')

    const known = {
      id: 1,
      listener: { host: '127.0.0.1', port },
      client: { host: '127.0.0.1', port: clientPort }
    }
    const identity = { method: 'username/password', username: 'alice' }
    const request = { command: 'connect', destination: { host: '127.0.0.1', port: targetPort } }
    const bound = { host: '127.0.0.1', port: peers[0] ?? 0 }
    const nothing = { up: 0, down: 0 }
    expect(events(told)).toEqual(['opened', 'authenticated', 'requested', 'established', 'closed'])
    expect(told[0]).toMatchObject({ ...known, traffic: nothing })
    expect(told[1]).toMatchObject({ ...known, identity, traffic: nothing })
    expect(told[2]).toMatchObject({ ...known, identity, request, traffic: nothing })
    expect(told[3]).toMatchObject({ ...known, identity, request, bound, traffic: nothing })
    expect(told[4]).toMatchObject({ ...known, identity, request, bound, traffic: { up: 5, down: 5 } })
    expect(told[4]?.cause).toBeUndefined()
    expect(told.map((entry) => 'identity' in entry)).toEqual([false, true, true, true, true])
    expect(told.map((entry) => 'request' in entry)).toEqual([false, false, true, true, true])
    expect(told.map((entry) => 'bound' in entry)).toEqual([false, false, false, true, true])
    expect(reply).toEqual(hex`05 00 00 01 7f000001 ${portBytes(bound.port)}`)
    expect(server.sessions.size).toBe(0)
  })

  it('number the sessions, and resolve `closed` with each', async () => {
    const { port, until, server } = await start()
    const { port: targetPort } = await target(echo)
    const clients = [await tunnelTo(port, targetPort), await tunnelTo(port, targetPort)]
    const sessions = [...server.sessions]
    expect(sessions.map(({ id }) => id)).toEqual([1, 2])
    for (const { socket } of clients) socket.end()
    await Promise.all(sessions.map(({ closed }) => closed))
    await until('closed', 2)
  })
})

describe('the events of a session that fails', () => {
  const withPassword = { methods: [usernamePassword({ verify: users({ alice: 'open sesame' }) })] }
  const wrong = hex`01 05 ${'alice'} 05 ${'wrong'}`

  it.each([
    { what: 'no SOCKS at all', said: hex`${'GET / HTTP/1.1\r\n\r\n'}`, heard: hex``, cause: { name: 'VersionError' } },
    { what: 'no method in common', said: hex`05 01 02`, heard: hex`05 ff`, cause: { name: 'NoAcceptableMethodError' } },
    {
      what: 'a wrong password',
      options: withPassword,
      said: hex`05 01 02 ${wrong}`,
      heard: hex`05 02 01 01`,
      cause: { name: 'AuthenticationError' }
    },
    {
      what: 'a command that is none',
      said: hex`05 01 00  05 09 00 01 00000000 0000`,
      heard: hex`05 00  05 07 00 01 00000000 0000`,
      told: ['authenticated'],
      cause: { name: 'CommandError' }
    },
    {
      what: 'a command that is not served',
      said: hex`05 01 00  05 f0 00 03 01 ${'a'} 0000`,
      heard: hex`05 00  05 07 00 01 00000000 0000`,
      told: ['authenticated', 'requested'],
      cause: { name: 'RefusedError', reply: 'command-not-supported' }
    },
    {
      what: 'a name that cannot be',
      said: hex`05 01 00  05 01 00 03 07 ${'invalid'} 0050`,
      options: {
        dial: async () => {
          throw new Error('no such thing')
        }
      },
      heard: hex`05 00  05 01 00 01 00000000 0000`,
      told: ['authenticated', 'requested'],
      cause: { message: 'no such thing' }
    }
  ])('end with its cause: $what', async ({ options, said, heard, told: steps = [], cause }) => {
    const { port, told, until } = await start(options)
    const client = rawClient(port)
    client.socket.write(said)
    expect(await client.hear(heard.length + 1)).toEqual(heard)
    expect(await until('closed')).toMatchObject({ cause, traffic: { up: 0, down: 0 } })
    expect(events(told)).toEqual(['opened', ...steps, 'closed'])
  })

  it('end with a target that refuses', async () => {
    const { port, told, until } = await start()
    const client = rawClient(port)
    client.socket.write(hex`05 01 00 ${connectTo(await freePort())}`)
    expect(await client.hear(13)).toEqual(hex`05 00  05 05 00 01 00000000 0000`)
    expect(await until('closed')).toMatchObject({ cause: { name: 'RefusedError', reply: 'connection-refused' } })
    expect(events(told)).toEqual(['opened', 'authenticated', 'requested', 'closed'])
  })

  it('end with a client that leaves half-way through its greeting', async () => {
    const { port, told, until } = await start()
    rawClient(port).socket.end(hex`05 02 00`)
    expect(await until('closed')).toMatchObject({ cause: { name: 'TruncatedError' } })
    expect(events(told)).toEqual(['opened', 'closed'])
  })

  it('end with a client that resets the relay, and so does the target', async () => {
    const { port, told, until } = await start()
    const { port: targetPort, first } = await target(echo)
    const client = await tunnelTo(port, targetPort)
    client.socket.write('hello')
    await client.hear(5)
    const reset = once(await first, 'error')
    client.socket.resetAndDestroy()
    expect(await until('closed')).toMatchObject({ cause: { code: 'ECONNRESET' }, traffic: { up: 5, down: 5 } })
    expect(await reset).toMatchObject([{ code: 'ECONNRESET' }])
    expect(events(told).slice(-2)).toEqual(['established', 'closed'])
  })

  it('end with a target that resets the relay, and so does the client', async () => {
    const { port, until } = await start()
    const { port: targetPort, first } = await target(echo)
    const client = await tunnelTo(port, targetPort)
    client.socket.write('hello')
    await client.hear(5)
    const reset = once(client.socket, 'error')
    const targetSocket = await first
    targetSocket.resetAndDestroy()
    expect(await until('closed')).toMatchObject({ cause: { code: 'ECONNRESET' }, traffic: { up: 5, down: 5 } })
    expect(await reset).toMatchObject([{ code: 'ECONNRESET' }])
  })

  it('end with its owner’s reason, where a session is closed', async () => {
    const { port, until, server } = await start()
    const { port: targetPort, first } = await target(echo)
    const client = await tunnelTo(port, targetPort)
    const [session] = server.sessions
    const resets = Promise.all([once(client.socket, 'error'), once(await first, 'error')])
    const reason = new Error('over quota')
    session?.close(reason)
    session?.close(new Error('once more'))
    expect((await until('closed')).cause).toBe(reason)
    expect(await resets).toMatchObject([[{ code: 'ECONNRESET' }], [{ code: 'ECONNRESET' }]])
    await session?.closed
  })

  it('end with its owner’s reason in the middle of the handshake, too', async () => {
    const { port, until, server } = await start()
    const client = rawClient(port)
    client.socket.write(hex`05 01 00`)
    await client.hear(2)
    const [session] = server.sessions
    session?.close()
    expect(await until('closed')).toMatchObject({
      cause: { name: 'ClosedError', message: 'the connection was closed' }
    })
    await client.gone
  })

  it('close each session once, whatever became of it', async () => {
    const { port, told, until } = await start()
    const { port: targetPort, first } = await target(echo)
    const [one, two, three] = [
      await tunnelTo(port, targetPort),
      await tunnelTo(port, targetPort),
      await tunnelTo(port, targetPort)
    ]
    const targetSocket = await first
    targetSocket.resetAndDestroy()
    two.socket.end()
    three.socket.resetAndDestroy()
    await until('closed', 3)
    await Promise.all([one.gone, two.gone, three.gone])
    const closed = told.filter(({ event }) => event === 'closed')
    expect(closed).toHaveLength(3)
    expect(new Set(closed.map(({ id }) => id))).toEqual(new Set([1, 2, 3]))
  })
})

describe('a listener that throws', () => {
  it('is an uncaught exception, and nothing to the session that it hears of', async () => {
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    onTestFinished(() => {
      for (const listener of others) process.on('uncaughtException', listener)
    })
    const { port, until, server } = await start()
    const { port: targetPort } = await target(echo)
    const events = ['opened', 'authenticated', 'requested', 'established', 'closed'] as const
    const uncaught: unknown[] = []
    process.on('uncaughtException', (error) => uncaught.push(error))
    onTestFinished(() => void process.removeAllListeners('uncaughtException'))
    for (const event of events) {
      server.once(event, () => {
        throw new Error(event)
      })
    }
    const client = await tunnelTo(port, targetPort)
    client.socket.end('hello')
    expect(text(await client.hear(5))).toBe('hello')
    expect((await until('closed')).cause).toBeUndefined()
    await turn()
    expect(uncaught).toEqual(events.map((event) => new Error(event)))
    expect(server.sessions.size).toBe(0)
  })
})

describe('a dial that fails without a reason', () => {
  it('is a failure all the same', async () => {
    const { port, until } = await start({ dial: () => Promise.reject() })
    const client = rawClient(port)
    client.socket.write(hex`05 01 00`)
    await client.hear(2)
    client.socket.write(connectTo(1))
    expect(await client.hear(10)).toEqual(hex`05 01 00 01 00000000 0000`)
    client.socket.end()
    expect((await until('closed')).cause).toBeInstanceOf(ClosedError)
  })
})

describe('a dial that never comes to an end', () => {
  it('is given up after the time to connect, and cancelled', async () => {
    let cancelled: AbortSignal | undefined
    const dial: Dial = (_destination, { signal } = {}) => {
      cancelled = signal
      return new Promise(() => {})
    }
    const { port, until } = await start({ dial, connectTimeout: 20 })
    const client = rawClient(port)
    client.socket.write(hex`05 01 00`)
    await client.hear(2)
    client.socket.write(connectTo(1))
    expect(await client.hear(10)).toEqual(hex`05 06 00 01 00000000 0000`)
    client.socket.end()
    expect((await until('closed')).cause).toBeInstanceOf(DeadlineError)
    expect(cancelled?.aborted).toBe(true)
  })
})
