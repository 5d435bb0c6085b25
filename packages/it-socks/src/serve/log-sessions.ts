import { formatAddress } from '@it-socks/protocol'
import type { Server, Session } from '@it-socks/server'
import { logServer, logSession } from '../log/log.ts'
import { wayOf, type SessionRecord } from '../log/record.ts'
import { formatEndpoint } from './endpoint.ts'
import { outcomeOf } from './outcome.ts'

/**
 * Logs a line for each session of a server when it is over, its steps for those who debug, and what it turns away.
 *
 * @param worker which of several servers it is
 */
export const logSessions = (server: Server, worker?: number): void => {
  const describe = (session: Session): Known => ({ ...known(session), ...(worker !== undefined && { worker }) })
  const opened = new WeakMap<Session, number>()
  const established = new WeakSet<Session>()
  const step = (event: string) => (session: Session) =>
    logSession('debug', `${wayOf(describe(session))}: ${event}`, { event, ...describe(session) })

  server
    .on('opened', (session) => opened.set(session, performance.now()))
    .on('opened', step('opened'))
    .on('authenticated', step('authenticated'))
    .on('requested', step('requested'))
    .on('established', step('established'))
    .on('established', (session) => established.add(session))
    .on('closed', (session, cause) => {
      const record: SessionRecord = {
        event: 'session',
        ...describe(session),
        up: session.traffic.up,
        down: session.traffic.down,
        seconds: Math.round(performance.now() - opened.get(session)!) / 1000,
        ...(session.dropped && { dropped: { ...session.dropped } }),
        // From where its identity is known to where it has what it asked for, a client is told of a failure by a reply.
        ...outcomeOf(cause, session.identity !== undefined && !established.has(session))
      }
      logSession(cause === undefined ? 'info' : 'warning', `${wayOf(record)}: ${record.outcome}`, { ...record })
    })
    .on('rejected', (address) => {
      const client = address === undefined ? 'unix' : formatAddress(address)
      logServer('warning', `turned away ${client}: too many connections`, { event: 'rejected', client })
    })
    .on('acceptError', ({ message: reason }) =>
      logServer('error', `cannot accept a connection: ${reason}`, { event: 'accept-error', reason })
    )
}

type Known = Omit<SessionRecord, 'event' | 'up' | 'down' | 'seconds' | 'outcome'>

const known = ({ id, listener, client, identity, request, bound }: Session): Known => ({
  session: id,
  listener: formatEndpoint(listener),
  ...(client && { client: formatAddress(client) }),
  ...(identity?.username !== undefined && { user: identity.username }),
  ...(identity && { method: identity.method }),
  ...(request && { command: request.command }),
  // What the client of an association says there is no destination.
  ...(request && request.command !== 'udpAssociate' && { destination: formatAddress(request.destination) }),
  ...(bound && { bound: formatAddress(bound) })
})
