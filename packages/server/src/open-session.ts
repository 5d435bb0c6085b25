import type { Endpoint, SocketDuplex } from '@it-socks/net'
import { ClosedError, unspecified, type Address, type Request } from '@it-socks/protocol'
import type { Traffic } from '@it-socks/relay'
import { cancellation, keepSpecimens } from '@it-socks/stage'
import type { Authenticated, Identity, Requested, Tunnel, Tunnelled } from '@it-socks/stage'
import type { Progress, Serve } from './pipeline.ts'
import type { ServerEvents, Session } from './session.ts'
import type { OpenSessions, Place } from './sessions.ts'

/** Tells the listeners of an event. */
export type Emit = <Event extends keyof ServerEvents>(event: Event, ...args: ServerEvents[Event]) => void

/** What the sessions of a server have in common. */
export interface Common {
  readonly serve: Serve
  /** Has each session while it is open. */
  readonly open: OpenSessions
  readonly emit: Emit
}

/** Serves one connection to its end, and tells how far it has come. */
export const openSession = (connection: SocketDuplex, id: number, listener: Endpoint, common: Common): void => {
  new OpenSession(connection, id, listener, common).start()
}

/** There is one of these for each connection, idle or not: it has no more than it needs. */
class OpenSession implements Session, Progress {
  readonly id: number
  readonly listener: Endpoint
  readonly traffic: Traffic = { up: 0, down: 0 }
  declare client?: Address
  declare identity?: Identity
  declare request?: Request
  declare bound?: Address
  declare dropped?: Readonly<Record<string, number>>
  readonly #connection: SocketDuplex
  readonly #common: Common
  readonly #cancellation = cancellation()
  #place: Place | undefined = undefined
  #isClosed = false
  #closed: Promise<void> | undefined = undefined
  #markClosed: (() => void) | undefined = undefined

  constructor(connection: SocketDuplex, id: number, listener: Endpoint, common: Common) {
    this.id = id
    this.listener = listener
    this.#connection = connection
    this.#common = common
    const { remoteAddress } = connection
    if (remoteAddress !== undefined) this.client = remoteAddress
  }

  get closed(): Promise<void> {
    return (this.#closed ??= new Promise((resolve) => {
      if (this.#isClosed) resolve()
      else this.#markClosed = resolve
    }))
  }

  close(reason: Error = new ClosedError()): void {
    this.#cancellation.abort(reason)
    this.#connection.abort(reason)
  }

  start(): void {
    const { open, emit, serve } = this.#common
    this.#place = open.add(this)
    emit('opened', this)
    serve(this.#connection, this, this.#cancellation).then(
      () => this.#ended(),
      (cause: unknown) => this.#failed(cause)
    )
  }

  authenticated({ identity }: Authenticated): void {
    this.identity = identity
    this.#common.emit('authenticated', this)
  }

  requested({ request }: Requested): void {
    this.request = request
    this.#common.emit('requested', this)
  }

  established({ tunnel: { localAddress, datagrams } }: Tunnelled): void {
    if (localAddress !== undefined) this.bound = localAddress
    if (datagrams !== undefined) this.dropped = datagrams.dropped
    this.#common.emit('established', this)
  }

  #failed(cause: unknown): void {
    // Whatever is still under way for this client, a dial for example, is of no use any more.
    this.#cancellation.abort(cause)
    this.#ended(cause ?? new ClosedError('the session failed without a reason'))
  }

  #ended(cause?: unknown): void {
    this.#isClosed = true
    this.#common.open.remove(this.#place!)
    this.#markClosed?.()
    this.#common.emit('closed', this, cause)
  }
}

const request: Request = { command: 'connect', destination: unspecified }
const common = { emit() {} } as unknown as Common
const specimen = new OpenSession({ remoteAddress: unspecified } as SocketDuplex, 0, unspecified, common)
specimen.authenticated({ identity: { method: 'none' } })
specimen.requested({ request, grant: () => new Uint8Array() })
specimen.established({ tunnel: { localAddress: unspecified } as Tunnel })
keepSpecimens(specimen)
