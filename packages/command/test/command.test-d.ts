import { describe, it } from 'vitest'
import { authenticate, none } from '@it-socks/auth'
import { command, connect, request, type Commanded } from '@it-socks/command'
import {
  compose,
  deadline,
  detect,
  frames,
  handshake,
  pipe,
  stage,
  type ByteDuplex,
  type Connected,
  type Dial,
  type Tunnel,
  type Tunnelled
} from '@it-socks/stage'

declare const duplex: ByteDuplex
declare const dial: Dial
declare const tunnel: Tunnel

/** A handler that asks where the client comes from, as BIND and UDP ASSOCIATE do. */
const asksWhere = stage<Commanded & Connected, Tunnelled>(async function* ({ context: { connection } }) {
  return { tunnel: { ...tunnel, localAddress: connection.localAddress } }
})

describe('the types of command', () => {
  it('needs what each of its handlers needs', async () => {
    const both = command({ connect: deadline('reaching the target', 1000, connect(dial)), bind: asksWhere })
    const negotiate = detect({ 5: compose(authenticate([none()]), request()) })

    const { context } = await pipe(
      duplex,
      frames({ context: { connection: duplex } }),
      negotiate,
      both,
      handshake(duplex)
    )
    context.tunnel satisfies Tunnel

    // @ts-expect-error frames was not told of the connection
    void pipe(duplex, frames(), negotiate, both, handshake(duplex))
  })

  it('needs no connection for CONNECT alone', () => {
    void pipe(
      duplex,
      frames(),
      authenticate([none()]),
      request(),
      command({ connect: connect(dial) }),
      handshake(duplex)
    )
  })
})
