import { relayDescriptors, type End } from '@it-socks/splice'
import type { Flow } from '@it-socks/stage'
import { reset } from './end.ts'
import { CLOSED, DISCARDING, DOOMED, ENDED, FINISHING, JOINED, READABLE, URGENT, is, type State } from './state.ts'
import { drained } from './write.ts'

/** Whether nobody but a relay has to do with it. */
export const isWhole = (stream: State): boolean =>
  !is(stream, CLOSED | JOINED | DOOMED | FINISHING | DISCARDING) &&
  stream.reader === undefined &&
  stream.writer === undefined &&
  stream.relay === undefined

/** Joins two that are whole. The client hears of the relay, for `flow`. Returns whether it has. */
export const joinTo = (client: State & Flow, target: State, flow: Flow): boolean => {
  if (client.queued > 0 || target.queued > 0) new Leaving(client, target, flow).go()
  else return handOver(client, target, flow)
  return true
}

/** Makes both descriptors the relay's, unless one breaks on the way. */
const handOver = (client: State & Flow, target: State, flow: Flow): boolean => {
  if (is(client, CLOSED) || is(target, CLOSED)) return false
  const [near, far] = [end(client), end(target)]
  client.flags |= JOINED
  target.flags |= JOINED
  client.ahead = target.ahead = undefined
  client.whenBroken = target.whenBroken = undefined
  client.flow = flow
  const relay = relayDescriptors(near, far, client)
  client.relay = target.relay = relay
  // Whoever counts has had enough by the bytes that came first.
  if (client.error !== undefined || target.error !== undefined) relay.abort(client.error ?? target.error)
  return true
}

/** What was told of it is not told again. */
const end = (stream: State): End => ({
  fd: stream.fd,
  ahead: stream.ahead,
  ended: is(stream, ENDED),
  readable: is(stream, READABLE),
  urgent: is(stream, URGENT)
})

/**
 * Two connections of which one has something to send still that nobody else knows of: the relay begins when that has left.
 * Until then they are watched as ever.
 */
class Leaving {
  private readonly client: State & Flow
  private readonly target: State
  private readonly flow: Flow

  constructor(client: State & Flow, target: State, flow: Flow) {
    this.client = client
    this.target = target
    this.flow = flow
  }

  go(): void {
    const { client, target, flow } = this
    const failed = (error: unknown): void => flow.failed(error)
    client.relay = target.relay = this
    client.whenBroken = target.whenBroken = failed
    drained(client, () => {
      drained(target, () => {
        client.relay = target.relay = undefined
        handOver(client, target, flow)
      })
    })
  }

  abort(reason: unknown): void {
    for (const stream of [this.client, this.target]) {
      stream.relay = undefined
      stream.whenBroken = undefined
      reset(stream, reason)
    }
  }
}
