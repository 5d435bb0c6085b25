import { EventEmitter } from 'node:events'
import type { Endpoint, Listener, SocketDuplex } from '@it-socks/net'
import { ClosedError, ConfigurationError } from '@it-socks/protocol'
import { after } from '@it-socks/stage'
import type { ServerOptions } from './options.ts'
import { openDoor, type Door } from './door.ts'
import { openSession, type Emit } from './open-session.ts'
import { pipeline } from './pipeline.ts'
import type { ServerEvents } from './session.ts'
import { OpenSessions, type Sessions } from './sessions.ts'
import { settle } from './settings.ts'

export interface CloseOptions {
  /** How long open sessions may go on before they are reset, in milliseconds. Default: 0. */
  drain?: number
}

/** A SOCKS server. Emits {@link ServerEvents}. */
export interface Server extends EventEmitter<ServerEvents> {
  /** The sessions that are open now. */
  readonly sessions: Sessions
  /**
   * Starts listening everywhere, or nowhere. Resolves with the endpoints, where a port 0 has become the one that the
   * system chose; rejects with the system's error (EADDRINUSE, EACCES …). Once in a server's life.
   */
  listen(): Promise<Endpoint[]>
  /** Stops listening, lets open sessions drain, resets those that remain. Resolves when all are closed. */
  close(options?: CloseOptions): Promise<void>
}

/**
 * Makes a server of the default pipeline: SOCKS5, SOCKS4 and 4a on one port, CONNECT, BIND and UDP ASSOCIATE, rules about
 * destinations, limits on connections and time, and events for each session.
 *
 * @throws {ConfigurationError} for options that contradict each other, or for an open proxy nobody asked for by name
 *
 * @example
 *
 * ```ts
 * import { createServer } from '@it-socks/server'
 *
 * const server = createServer({ listen: { host: '127.0.0.1', port: 0 } })
 * server.on('closed', ({ client, request, traffic }, cause) => console.log(client, request, traffic, cause))
 * await server.listen()
 * await server.close({ drain: 1000 })
 * ```
 */
export const createServer = (options: ServerOptions = {}): Server => {
  let endpoints: readonly Endpoint[] = []
  const settings = settle(options, () => endpoints)
  const serve = pipeline(settings)
  const events = new EventEmitter<ServerEvents>()
  // A listener that throws is an uncaught exception, as with any emitter, but nothing to the session that it hears of.
  const emit: Emit = (event, ...args) => {
    try {
      events.emit<keyof ServerEvents>(event, ...args)
    } catch (error) {
      process.nextTick(() => {
        throw error
      })
    }
  }
  const sessions = new OpenSessions()
  const common = { serve, open: sessions, emit }
  let listeners: Listener[] | undefined
  let closing = false
  let count = 0

  const accept = (connection: SocketDuplex, listener: Endpoint): void => {
    // Connections that had been accepted, but not yet taken, when the server closed.
    if (closing) return connection.abort(new ClosedError('the server is closing'))
    if (sessions.size >= settings.maxConnections) {
      connection.abort(new ClosedError('too many connections'))
      emit('rejected', connection.remoteAddress)
      return
    }
    openSession(connection, ++count, listener, common)
  }

  const listenAt = (endpoint: Endpoint, take: (connection: SocketDuplex) => void): Listener =>
    settings.engine.listen(endpoint, {
      accept: take,
      reusePort: settings.reusePort,
      onAcceptError: (error) => emit('acceptError', error)
    })

  return Object.assign(events, {
    sessions,
    async listen() {
      if (listeners !== undefined || closing) throw new ConfigurationError('a server listens once in its life')
      const doors: Door[] = []
      listeners = []
      try {
        for (const endpoint of settings.endpoints) {
          const door = openDoor(accept, (take) => listenAt(endpoint, take))
          doors.push(door)
          listeners.push(door.listener)
        }
        const listening = listeners.map((listener) => listener.listening)
        // All of them first, so that each has either failed or can be closed.
        await Promise.allSettled(listening)
        const bound = await Promise.all(listening)
        endpoints = bound
        doors.forEach(({ open }, index) => open(bound[index]!))
        return bound
      } catch (error) {
        for (const { listener, shut } of doors) {
          listener.listening.catch(() => {})
          listener.close()
          shut(error)
        }
        throw error
      }
    },
    async close({ drain = 0 }: CloseOptions = {}) {
      closing = true
      for (const listener of listeners ?? []) listener.close()
      const stopClock = after(drain, () => {
        for (const session of sessions) session.close(new ClosedError('the server is closing'))
      })
      await Promise.all([...sessions].map(({ closed }) => closed))
      stopClock()
    }
  })
}
