import { bind, command, connect, request, resolve, resolvePtr, udpAssociate, type Commanded } from '@it-socks/command'
import type { CommandHandler } from '@it-socks/command'
import type { CommandName } from '@it-socks/protocol'
import { relay, type Traffic } from '@it-socks/relay'
import { authorize } from '@it-socks/rules'
import { compose, deadline, detect, frames, keepSpecimens, observe, pipe } from '@it-socks/stage'
import type { Authenticated, Authorized, ByteDuplex, Connected, Requested, Signal } from '@it-socks/stage'
import type { Stage, Tunnelled } from '@it-socks/stage'
import type { Settings } from './settings.ts'

/** Who is told how far a connection has come, and where its bytes are counted. */
export interface Progress {
  authenticated(context: Authenticated): void
  requested(context: Requested): void
  established(context: Tunnelled): void
  readonly traffic: Traffic
}

interface Watched {
  readonly progress: Progress
}

/** Serves one connection. Resolves when the relay has ended; rejects with what went wrong. */
export type Serve = (connection: ByteDuplex, progress: Progress, signal: Signal) => Promise<Traffic>

/** The default pipeline. Its stages are made once; what differs from connection to connection is in their context. */
export const pipeline = (settings: Settings): Serve => {
  const { handshakeTimeout, idleTimeout: idle, rules, otherwise } = settings
  const engine = settings.engine.join ?? 'auto'
  const negotiation = compose(negotiate(settings), requested, authorize(rules, { otherwise }))
  const handshake = deadline('the handshake', handshakeTimeout, negotiation)
  const stages = compose(handshake, command(handlers(settings)), established)
  return (connection, progress, signal) =>
    pipe(
      connection,
      frames({ signal, context: { connection, progress } }),
      stages,
      relay(connection, { idle, engine, traffic: progress.traffic })
    )
}

const authenticated = observe<Authenticated & Watched>((context) => context.progress.authenticated(context))
const requested = observe<Requested & Watched>((context) => context.progress.requested(context))
const established = observe<Tunnelled & Watched>((context) => context.progress.established(context))

/** Who the client is and what it wants, in the protocol that it speaks. */
const negotiate = ({ authentication, identification }: Settings): Stage<Watched, Commanded> => {
  const socks5 = compose(authentication, authenticated, request())
  if (identification === undefined) return detect({ 5: socks5 })
  return detect({ 5: socks5, 4: compose(identification, authenticated) })
}

type Handler = CommandHandler<Commanded & Connected & Authorized>

const handlers = (settings: Settings): Partial<Record<CommandName, Handler>> => {
  const { commands, dial, binder, datagramBinder, connectTimeout, bindTimeout, publicHost, relays } = settings
  const soon = (phase: string, handler: Handler): Handler => deadline(phase, connectTimeout, handler)
  const reachable = { resolve: settings.resolve, ...(publicHost !== undefined && { publicHost }) }
  const all: Record<CommandName, Handler> = {
    connect: soon('reaching the target', connect(dial)),
    bind: deadline('waiting for a connection', bindTimeout, bind(binder, reachable)),
    udpAssociate: soon(
      'opening a UDP socket',
      udpAssociate(datagramBinder, { ...reachable, ...(relays && { relays }) })
    ),
    resolve: soon('resolving the name', resolve(settings.resolve)),
    resolvePtr: soon('resolving the address', resolvePtr(settings.reverseResolve))
  }
  return Object.fromEntries(commands.map((name) => [name, all[name]]))
}

// Each stage that adds something makes another one of it.
let context: object = { connection: {}, progress: {} }
for (const added of [{ identity: {} }, { request: {}, grant() {} }, { permit() {} }, { tunnel: {} }]) {
  context = Object.assign({}, context, added)
  keepSpecimens(context)
}
