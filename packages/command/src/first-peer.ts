import { ClosedError } from '@it-socks/protocol'
import { abortable, type Frames, type Signal, type Tunnel } from '@it-socks/stage'

/** Who else may end the waiting. */
interface Waiting {
  readonly signal: Signal
  /** The client's messages: it is gone when they end. */
  readonly client: Frames
}

/**
 * The first that connects and is expected; all others are reset.
 *
 * Rejects with a `ClosedError` where the client leaves or nobody listens any more, with what broke the client's
 * connection, with the signal's reason. Who comes too late is reset then.
 */
export const firstPeer = async (
  connections: AsyncIterable<Tunnel>,
  isExpected: (peer: Tunnel) => boolean,
  { client, signal }: Waiting
): Promise<Tunnel> => {
  const arrival = arrive(connections, isExpected)
  const departure = client.ended().then(() => {
    throw new ClosedError('the client left before anybody connected')
  })
  try {
    return await abortable(Promise.race([arrival, departure]), signal)
  } catch (error) {
    arrival.then(
      (late) => late.abort?.(error),
      () => {}
    )
    throw error
  }
}

const arrive = async (connections: AsyncIterable<Tunnel>, isExpected: (peer: Tunnel) => boolean): Promise<Tunnel> => {
  for await (const peer of connections) {
    if (isExpected(peer)) return peer
    peer.abort?.(new ClosedError('somebody else was expected'))
  }
  throw new ClosedError('nobody listens any more, and nobody had connected')
}
