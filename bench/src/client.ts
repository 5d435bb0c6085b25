import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** An echo server, and what reaches it. */
export const startEcho = async (): Promise<{ port: number; stop(): void }> => {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy()).pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, stop: () => server.close() }
}

/** A tunnel to the echo server. */
export interface EchoTunnel {
  /** Sends bytes and checks that they come back. */
  roundTrip(payload: Uint8Array): Promise<void>
  /** Half-closes and waits for the end. */
  finish(): Promise<void>
}

/** Reads by count. (`socket.read(n)` would spin: each new `readable` listener is called while anything is buffered.) */
const reader = (socket: Socket): ((length: number) => Promise<Buffer>) => {
  let buffered: Buffer[] = []
  let size = 0
  let check = (): void => {}
  let fail = (_error: Error): void => {}
  socket.on('close', () => fail(new Error('the tunnel ended early')))
  socket.on('data', (chunk) => {
    buffered.push(chunk)
    size += chunk.length
    check()
  })
  return (length) =>
    new Promise((resolve, reject) => {
      check = () => {
        if (size < length) return
        const bytes = Buffer.concat(buffered)
        buffered = [bytes.subarray(length)]
        size -= length
        resolve(bytes.subarray(0, length))
      }
      fail = reject
      check()
    })
}

/** A CONNECT through the proxy to 127.0.0.1:`target`, as plain as it gets. */
export const openTunnel = async (proxy: number, target: number): Promise<EchoTunnel> => {
  const socket = connect({ host: '127.0.0.1', port: proxy, noDelay: true })
  const take = reader(socket)
  socket.write(Uint8Array.of(5, 1, 0))
  await take(2)
  socket.write(Uint8Array.of(5, 1, 0, 1, 127, 0, 0, 1, target >> 8, target & 255))
  await take(10)
  return {
    async roundTrip(payload) {
      socket.write(payload)
      if (!(await take(payload.length)).equals(payload)) throw new Error('the echo differs')
    },
    async finish() {
      const closed = once(socket, 'close')
      socket.end()
      await closed
    }
  }
}
