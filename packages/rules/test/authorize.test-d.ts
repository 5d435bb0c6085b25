import { describe, it } from 'vitest'
import { authenticate, none } from '@it-socks/auth'
import { command, connect, request } from '@it-socks/command'
import { authorize, privateNetworks } from '@it-socks/rules'
import { compose, frames, handshake, pipe, type ByteDuplex, type Dial, type Permit } from '@it-socks/stage'

declare const duplex: ByteDuplex
declare const dial: Dial

const head = frames({ context: { connection: duplex } })
const commands = command({ connect: connect(dial) })

describe('the types of authorize', () => {
  it('comes between request and command, and adds permit', async () => {
    const stages = [authenticate([none()]), request(), authorize([privateNetworks]), commands] as const
    const { context } = await pipe(duplex, head, ...stages, handshake(duplex))
    context.permit satisfies Permit

    const negotiate = compose(authenticate([none()]), request(), authorize([], { otherwise: 'deny' }))
    void pipe(duplex, head, negotiate, commands, handshake(duplex))
  })

  it('does not compile without request before it', () => {
    // @ts-expect-error nobody has read the request
    void pipe(duplex, head, authenticate([none()]), authorize([]), request(), commands, handshake(duplex))
  })

  it('does not compile without authenticate before it', () => {
    // @ts-expect-error nobody knows who the client is
    void pipe(duplex, head, request(), authorize([]), authenticate([none()]), commands, handshake(duplex))
  })

  it('does not compile where nobody knows where the client is', () => {
    // @ts-expect-error frames was not told of the connection
    void pipe(duplex, frames(), authenticate([none()]), request(), authorize([]), commands, handshake(duplex))
  })
})
