import { authenticate, login, none } from '@it-socks/auth'
import { accepted, ask, bind, command, connect, request } from '@it-socks/command'
import { binder, dial, listen, systemResolve } from '@it-socks/net'
import { formatAddress, parseAddress, type Address } from '@it-socks/protocol'
import { relay } from '@it-socks/relay'
import { deadline, frames, handshake, observe, pipe, type ByteDuplex, type Granted } from '@it-socks/stage'

/** A SOCKS5 proxy that dials for its clients, and listens for them: one connection for each BIND, from whom they expect. */
export const serve = async (connections: AsyncIterable<ByteDuplex>) => {
  const commands = command({
    connect: connect(dial()),
    bind: deadline('waiting for a connection', 60_000, bind(binder(), { resolve: systemResolve() }))
  })
  for await (const connection of connections) {
    pipe(
      connection,
      frames({ context: { connection } }), // BIND listens where the client reached us
      authenticate([none()]),
      request(),
      commands,
      relay(connection)
    ).catch((error) => console.error(error.message))
  }
}

/** Has the proxy listen for one connection from `peer`, and `tell` where: what came through it, up to its end. */
export const receive = async (proxy: Address, peer: string, tell: (where: Address) => void) => {
  const connection = await dial()(proxy)
  const { duplex } = await pipe(
    connection,
    frames(),
    login([none()]),
    ask({ command: 'bind', destination: { host: peer, port: 0 } }),
    observe<Granted>(({ bound }) => tell(bound)), // where the proxy listens
    accepted(), // from here on `bound` is who connected
    handshake(connection)
  )
  const decoder = new TextDecoder()
  let text = ''
  for await (const bytes of duplex.source) text += decoder.decode(bytes.subarray(), { stream: true })
  await duplex.sink((async function* () {})()) // nothing to say in return
  return text
}

if (process.argv[1] === import.meta.filename) {
  const [, , proxy, peer = '0.0.0.0'] = process.argv
  if (proxy === undefined) await serve(listen({ host: '127.0.0.1', port: 1080 }))
  else console.log(await receive(parseAddress(proxy), peer, (where) => console.error(formatAddress(where))))
}
