import { authenticate, none } from '@it-socks/auth'
import { command, connect, request } from '@it-socks/command'
import { dial, listen } from '@it-socks/net'
import { RefusedError } from '@it-socks/protocol'
import { relay } from '@it-socks/relay'
import { frames, pipe, stage, type ByteDuplex, type Requested } from '@it-socks/stage'

/** Refuses every destination whose host is not among `hosts`. Comes after `request`: before it, it does not compile. */
export const only = (...hosts: string[]) =>
  stage<Requested, {}>(async function* ({ context: { request } }) {
    if (!hosts.includes(request.destination.host)) throw new RefusedError('not-allowed')
    return {}
  })

/** A SOCKS5 proxy that leads to `hosts` and nowhere else. */
export const serve = async (connections: AsyncIterable<ByteDuplex>, ...hosts: string[]) => {
  for await (const connection of connections) {
    pipe(
      connection,
      frames(),
      authenticate([none()]),
      request(),
      only(...hosts), // the one new line
      command({ connect: connect(dial()) }),
      relay(connection)
    ).catch((error) => console.error(error.message))
  }
}

if (process.argv[1] === import.meta.filename) {
  await serve(listen({ host: '127.0.0.1', port: 1080 }), ...process.argv.slice(2))
}
