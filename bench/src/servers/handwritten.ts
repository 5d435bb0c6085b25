import { writeSync } from 'node:fs'
import { connect, createServer, Socket, type AddressInfo, type ConnectOpts, type SocketConstructorOpts } from 'node:net'
import { announce } from './announce.ts'

// What our pipeline is held against: the least that a fast SOCKS5 proxy on Node's sockets can do, in one file of event handlers. No
// authentication, CONNECT to IPv4 alone, no timeouts, no limits, no rules, no names for what goes wrong. Its sockets read
// into one shared buffer and write past their streams.

type Received = (length: number) => boolean
interface Handle {
  readonly fd: number
  useUserBuffer(buffer: Uint8Array): void
}

const shared = Buffer.allocUnsafeSlow(256 * 1024)
const handleOf = (socket: Socket): Handle | null => {
  const { _handle: handle } = socket as unknown as { _handle: Handle | null }
  return handle
}

/** Where a socket keeps its `onread`, which has no public way to sockets that were accepted. */
const [bufferKey, callbackKey] = ((): symbol[] => {
  const callback = (): boolean => true
  const options: SocketConstructorOpts & ConnectOpts = { onread: { buffer: shared, callback } }
  const socket = new Socket(options)
  const values = socket as unknown as Record<symbol, unknown>
  return [shared, callback].map((value) => Object.getOwnPropertySymbols(socket).find((key) => values[key] === value)!)
})()

const readInto = (socket: Socket, received: Received): void => {
  Object.assign(socket, { [bufferKey!]: shared, [callbackKey!]: received })
  handleOf(socket)!.useUserBuffer(shared)
}

/** Sends what is in the shared buffer. What the kernel does not take at once is copied, and `from` waits for it to go. */
const send = (to: Socket, from: Socket, length: number): boolean => {
  let sent = 0
  try {
    if (to.writableLength === 0) sent = writeSync(handleOf(to)!.fd, shared, 0, length)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
      to.destroy()
      return false
    }
  }
  if (sent === length) return true
  to.write(Buffer.from(shared.subarray(sent, length)), () => from.resume())
  return false
}

const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (client) => {
  let ahead: Buffer | undefined
  let greeted = false
  let target: Socket | undefined

  const handshake = (length: number): boolean => {
    const fresh = shared.subarray(0, length)
    let bytes = ahead === undefined ? fresh : Buffer.concat([ahead, fresh])
    ahead = undefined
    if (!greeted && bytes.length >= 2 && bytes.length >= 2 + bytes[1]!) {
      bytes = bytes.subarray(2 + bytes[1]!)
      greeted = true
      client.write(Uint8Array.of(5, 0))
    }
    if (!greeted || bytes.length < 10) {
      if (bytes.length > 0) ahead = Buffer.from(bytes)
      return true
    }
    if (bytes[1] !== 1 || bytes[3] !== 1) {
      client.destroy()
      return false
    }
    open(`${bytes[4]}.${bytes[5]}.${bytes[6]}.${bytes[7]}`, bytes.readUInt16BE(8))
    if (bytes.length > 10) ahead = Buffer.from(bytes.subarray(10))
    return false
  }

  const open = (host: string, port: number): void => {
    const socket = connect({ host, port, noDelay: true, allowHalfOpen: true })
    readInto(socket, (length) => send(client, socket, length))
    socket.on('error', () => client.destroy())
    socket.on('close', () => client.destroy())
    socket.on('end', () => client.end())
    socket.on('connect', () => {
      client.write(Uint8Array.of(5, 0, 0, 1, 127, 0, 0, 1, socket.localPort! >> 8, socket.localPort! & 255))
      if (ahead !== undefined) socket.write(ahead)
      target = socket
      client.on('end', () => socket.end())
      client.on('close', () => socket.destroy())
      client.resume()
    })
  }

  readInto(client, (length) => (target === undefined ? handshake(length) : send(target, client, length)))
  client.on('error', () => target?.destroy())
  client.resume()
})
server.listen(0, '127.0.0.1', () => announce((server.address() as AddressInfo).port))
