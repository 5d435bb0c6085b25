import { authenticate, none } from '@it-socks/auth'
import { command, connect, request } from '@it-socks/command'
import { dial, listen } from '@it-socks/net'
import { relay } from '@it-socks/relay'
import { frames, pipe, type ByteDuplex } from '@it-socks/stage'

/** A SOCKS5 proxy. Replace any line, and you have another one. */
export const serve = async (connections: AsyncIterable<ByteDuplex>) => {
  for await (const connection of connections) {
    pipe(
      connection,
      frames(), // bytes → messages, read on demand
      authenticate([none()]), // agrees with the client on a method
      request(), // reads what the client wants
      command({ connect: connect(dial()) }), // does it, and answers
      relay(connection) // joins client and target
    ).catch((error) => console.error(error.message))
  }
}

if (process.argv[1] === import.meta.filename) await serve(listen({ host: '127.0.0.1', port: 1080 }))
