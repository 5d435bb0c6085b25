import { getEventListeners, setMaxListeners } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { usernamePassword, users } from '@it-socks/auth'
import { connect } from '@it-socks/client'
import { dial } from '@it-socks/net'
import { createServer, type Server } from '@it-socks/server'
import type { Dial } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import { freePort } from '../../../test/support/port.ts'
import { connectTo, echo, rawClient, target } from './setup.ts'

const alice = { username: 'alice', password: 'open sesame' }

/** One client's fate, by its number: most are well served, the others fail in all the ways that there are. */
const fates: ((at: Site) => Promise<string>)[] = [served, served, served, refused, wrongPassword, vanished, aborted]

interface Site {
  readonly proxy: number
  readonly target: number
  readonly closed: number
  /** One for all clients. */
  readonly signal: AbortSignal
}

async function served({ proxy, target, signal }: Site): Promise<string> {
  const destination = { host: '127.0.0.1', port: target }
  const tunnel = await connect({ proxy: { host: '127.0.0.1', port: proxy, ...alice }, destination, signal })
  const said = tunnel.sink(
    (async function* () {
      yield hex`${'round trip'}`
    })()
  )
  let heard = ''
  for await (const bytes of tunnel.source) heard += new TextDecoder().decode(bytes.subarray())
  await said
  return heard
}

async function refused({ proxy, closed, signal }: Site): Promise<string> {
  const destination = { host: '127.0.0.1', port: closed }
  return outcome(connect({ proxy: { host: '127.0.0.1', port: proxy, ...alice }, destination, signal }))
}

async function wrongPassword({ proxy, target, signal }: Site): Promise<string> {
  const destination = { host: '127.0.0.1', port: target }
  const credentials = { username: 'alice', password: 'wrong' }
  return outcome(connect({ proxy: { host: '127.0.0.1', port: proxy, ...credentials }, destination, signal }))
}

/** In the middle of the relay. */
async function vanished({ proxy, target }: Site): Promise<string> {
  const client = rawClient(proxy)
  client.socket.write(hex`05 01 02  01 05 ${'alice'} 0b ${'open sesame'} ${connectTo(target)} ${'early'}`)
  await client.hear(2 + 2 + 10 + 5)
  client.socket.resetAndDestroy()
  await client.gone
  return 'vanished'
}

/** As soon as it has reached the proxy. */
async function aborted({ proxy, target }: Site): Promise<string> {
  const owner = new AbortController()
  const destination = { host: '127.0.0.1', port: target }
  const reach: Dial = async (...args) => {
    const tunnel = await dial()(...args)
    owner.abort(new Error('aborted'))
    return tunnel
  }
  const options = { proxy: { host: '127.0.0.1', port: proxy, ...alice }, destination }
  return outcome(connect({ ...options, signal: owner.signal, dial: reach }))
}

const outcome = (connecting: Promise<unknown>): Promise<string> =>
  connecting.then(
    () => 'connected',
    (error: Error) => error.name
  )

const expected = ['round trip', 'round trip', 'round trip', 'RefusedError', 'AuthenticationError', 'vanished', 'Error']

const meet = (client: number, site: Site): Promise<string> => {
  const fate = fates[client % fates.length] ?? served
  return fate(site)
}

/** Has `total` clients come and go, `together` at a time. */
const churn = async (site: Site, total: number, together: number): Promise<Map<string, number>> => {
  const outcomes = new Map<string, number>()
  for (let done = 0; done < total; done += together) {
    const batch = Array.from({ length: together }, (_, index) => meet(done + index, site))
    for (const result of await Promise.all(batch)) outcomes.set(result, (outcomes.get(result) ?? 0) + 1)
  }
  return outcomes
}

/** How many there are of each kind of thing that keeps the process busy. */
const resources = (): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return counts
}

/** What there is more of than before. */
const surplus = (before: Map<string, number>): [string, number][] =>
  [...resources()]
    .map(([kind, count]): [string, number] => [kind, count - (before.get(kind) ?? 0)])
    .filter(([, more]) => more > 0)

/** As many turns of the event loop as it takes, within two seconds: the handle of a closed socket goes in the next ones. */
const turnsUntil = async (settled: () => boolean): Promise<void> => {
  const deadline = performance.now() + 2000
  while (!settled() && performance.now() < deadline) await setImmediate()
}

const watched = (server: Server): { opened: number; closed: number } => {
  const counts = { opened: 0, closed: 0 }
  server.on('opened', () => counts.opened++)
  server.on('closed', () => counts.closed++)
  return counts
}

describe('a thousand connections', () => {
  it('leave nothing behind: no session, socket, timer or listener', { timeout: 60_000 }, async () => {
    const { port: targetPort } = await target(echo)
    const site = { target: targetPort, closed: await freePort(), signal: new AbortController().signal }
    await turnsUntil(() => resources().get('TCPServerWrap') === 1)
    const before = resources()
    setMaxListeners(0, site.signal)

    const signals = new Set<AbortSignal>()
    const direct = dial()
    const server = createServer({
      listen: { host: '127.0.0.1', port: 0 },
      methods: [usernamePassword({ verify: users({ alice: 'open sesame' }) })],
      dial: (destination, options) => {
        if (options?.signal) signals.add(options.signal)
        return direct(destination, options)
      }
    })
    const counts = watched(server)
    const [endpoint] = await server.listen()
    const proxy = endpoint !== undefined && 'port' in endpoint ? endpoint.port : 0
    const outcomes = await churn({ ...site, proxy }, 1000, 50)
    for (const session of server.sessions) await session.closed
    await server.close()

    const due = new Map<string, number>()
    for (let index = 0; index < 1000; index++) {
      const name = expected[index % expected.length] ?? ''
      due.set(name, (due.get(name) ?? 0) + 1)
    }
    expect(outcomes).toEqual(due)
    expect(counts.closed).toBe(counts.opened)
    expect(server.sessions.size).toBe(0)
    expect(getEventListeners(site.signal, 'abort')).toEqual([])
    expect([...signals].flatMap((signal) => getEventListeners(signal, 'abort'))).toEqual([])
    await turnsUntil(() => surplus(before).length === 0)
    expect(surplus(before)).toEqual([])
  })
})
