import { describe, it } from 'vitest'
import { authenticate, login, none } from '@it-socks/auth'
import { accepted, ask, bind, command, request } from '@it-socks/command'
import { compose, deadline, frames, handshake, pipe, type Binder, type ByteDuplex, type Tunnel } from '@it-socks/stage'
import type { Address } from '@it-socks/protocol'

declare const duplex: ByteDuplex
declare const binder: Binder

describe('the types of bind', () => {
  const commands = command({ bind: deadline('waiting for a connection', 1000, bind(binder)) })

  it('needs to know where the client reached us', async () => {
    const { context } = await pipe(
      duplex,
      frames({ context: { connection: duplex } }),
      authenticate([none()]),
      request(),
      commands,
      handshake(duplex)
    )
    context.tunnel satisfies Tunnel

    // @ts-expect-error frames was not told of the connection
    void pipe(duplex, frames(), authenticate([none()]), request(), commands, handshake(duplex))
  })

  it('composes with accepted on the side of the client', async () => {
    const asking = ask({ command: 'bind', destination: { host: '192.0.2.9', port: 20 } })
    const { context } = await pipe(duplex, frames(), login([none()]), compose(asking, accepted()), handshake(duplex))
    context.bound satisfies Address
  })
})
