import { dial, listen, type SocketDuplex } from '@it-socks/net'
import { announce } from './announce.ts'

// What the stages cost: the connections of ours, the portable ones, and a handshake that was written by hand for the load of
// this benchmark. Each message is taken to come whole. No authentication, CONNECT to IPv4 alone, no timeouts, limits or rules.

const direct = dial({ timeout: Infinity })
const accepted = Uint8Array.of(5, 0)

const serve = async (client: SocketDuplex): Promise<void> => {
  const messages = client.source[Symbol.asyncIterator]()
  await messages.next()
  client.transport!.write(accepted)
  const { value: request, done } = await messages.next()
  if (done === true || request[1] !== 1 || request[3] !== 1) throw new Error('no CONNECT to an IPv4 address')
  const [, , , , a, b, c, d, high, low] = request
  const target = await direct({ host: `${a}.${b}.${c}.${d}`, port: (high! << 8) | low! })
  const { port } = target.localAddress!
  client.transport!.write(Uint8Array.of(5, 0, 0, 1, 127, 0, 0, 1, port >> 8, port & 255))
  client.transport!.join(target.transport!, {
    passed: () => {},
    ended: () => {},
    failed: (error) => {
      client.abort(error)
      target.abort!(error)
    }
  })
}

const listener = listen(
  { host: '127.0.0.1', port: 0 },
  { accept: (client) => void serve(client).catch((error: unknown) => client.abort(error)) }
)
announce(((await listener.listening) as { port: number }).port)
