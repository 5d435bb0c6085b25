import type { Bytes, ByteDuplex } from './duplex.ts'
import { letGo } from './let-go.ts'
import type { Say } from './say.ts'
import type { Transport } from './transport.ts'
import { keepSpecimens } from './specimens.ts'

/** What a connection is to be sent, while it is not yet known where that comes from in the end. */
export interface Outlet {
  /**
   * Sends these bytes. What stages say is a few bytes, and a peer that does not read must not stop them: this waits for
   * the peer only where more than 64 KiB lie here.
   */
  readonly say: Say
  /** Has this called, once, where the connection breaks; `undefined` calls it off. */
  broken(act: ((error: unknown) => void) | undefined): void
  /** Sends all of this, and then the end; settles as the connection's sink does. From here on nothing stands in between. */
  follow(source: AsyncIterable<Bytes>): Promise<void>
}

const limit = 64 * 1024
const finished: IteratorResult<Bytes, void> = { done: true, value: undefined }

/** An outlet to a transport: its own queue will do. */
export const transportOutlet = (transport: Transport, connection: ByteDuplex): Outlet =>
  new TransportOutlet(transport, connection)

class TransportOutlet implements Outlet {
  readonly #transport: Transport
  readonly #connection: ByteDuplex
  #told: ((error: unknown) => void) | undefined = undefined
  #proceed: (() => void) | undefined = undefined
  #isBroken = false

  constructor(transport: Transport, connection: ByteDuplex) {
    this.#transport = transport
    this.#connection = connection
    transport.broken((error) => {
      this.#isBroken = true
      this.#proceed?.()
      this.#told?.(error)
    })
  }

  readonly say: Say = (bytes) => {
    if (this.#isBroken) return undefined
    this.#transport.write(bytes)
    if (this.#transport.waiting <= limit) return undefined
    return new Promise((resolve) => {
      this.#proceed = resolve
      this.#transport.drained(resolve)
    })
  }

  broken(act: ((error: unknown) => void) | undefined): void {
    this.#told = act
  }

  follow(source: AsyncIterable<Bytes>): Promise<void> {
    return this.#connection.sink(source)
  }
}

const nobody = { broken() {} } as unknown as Transport
keepSpecimens(new TransportOutlet(nobody, nobody.duplex))

/** An outlet to the sink of any duplex, which is called at once. */
export const sinkOutlet = (connection: ByteDuplex): Outlet => {
  const said: Bytes[] = []
  let following: AsyncIterator<Bytes> | undefined
  let ended = false
  let waiting = 0
  let wake = (): void => {}
  let proceed = (): void => {}

  const next = async (): Promise<IteratorResult<Bytes>> => {
    for (;;) {
      const value = said.shift()
      if (value !== undefined) {
        waiting -= value.byteLength
        if (waiting <= limit) proceed()
        return { done: false, value }
      }
      if (following !== undefined) return following.next()
      if (ended) return finished
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }

  const sent = connection.sink({
    [Symbol.asyncIterator]: () => ({
      next: () => (following !== undefined && said.length === 0 ? following.next() : next()),
      async return() {
        ended = true
        wake()
        proceed()
        await following?.return?.()
        return finished
      }
    })
  })

  return {
    say(bytes) {
      if (ended) return undefined
      said.push(bytes)
      waiting += bytes.byteLength
      wake()
      if (waiting <= limit) return undefined
      return new Promise((resolve) => {
        proceed = resolve
      })
    },
    broken(act) {
      if (act !== undefined) sent.catch(act)
    },
    follow(source) {
      following = source[Symbol.asyncIterator]()
      // Nobody sends any more: let what would have come know.
      if (ended) letGo(following)
      wake()
      return sent
    }
  }
}
