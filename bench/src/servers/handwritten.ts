import { connect, createServer, Socket, type AddressInfo, type OnReadOpts, type SocketConstructorOpts } from 'node:net'
import { announce } from './announce.ts'

// What our pipeline is held against: the least that a fast SOCKS5 proxy in Node can do, in one file of event handlers. No
// authentication, CONNECT to IPv4, no timeouts, no limits, no rules. All sockets read into one shared buffer.

const shared = Buffer.allocUnsafeSlow(256 * 1024)
/** Buffers for what is written: a pending write keeps pointing into its buffer, which can therefore not be the shared one. */
const spare: Buffer[] = []
const large = 8 * 1024

const send = (socket: Socket, length: number): boolean => {
  if (length <= large) {
    const copy = Buffer.allocUnsafe(length)
    shared.copy(copy, 0, 0, length)
    return socket.write(copy)
  }
  const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(shared.length)
  shared.copy(buffer, 0, 0, length)
  return socket.write(buffer.subarray(0, length), () => spare.push(buffer))
}

type Receive = (length: number) => boolean
const into = (receive: Receive): OnReadOpts => ({ buffer: shared, callback: receive })

/** An accepted socket that reads into the shared buffer. There is no public way but for sockets that one connects. */
const adopt = (accepted: Socket, receive: Receive): Socket => {
  const holder = accepted as unknown as { _handle: unknown }
  const handle = holder._handle
  holder._handle = null
  accepted.destroy()
  return new Socket({ handle, onread: into(receive), allowHalfOpen: true } as unknown as SocketConstructorOpts)
}

const relay = (from: Socket, to: Socket): void => {
  from.on('end', () => to.end())
  to.on('drain', () => from.resume())
  from.on('error', () => to.destroy())
  from.on('close', () => to.destroy(undefined))
}

const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (accepted) => {
  let ahead: Buffer = Buffer.alloc(0)
  let greeted = false
  let target: Socket | undefined
  let isOpen = false

  const handshake = (length: number): boolean => {
    ahead = Buffer.concat([ahead, shared.subarray(0, length)])
    if (!greeted) {
      if (ahead.length < 2 || ahead.length < 2 + ahead[1]!) return true
      ahead = ahead.subarray(2 + ahead[1]!)
      client.write(Uint8Array.of(5, 0))
      greeted = true
    }
    if (ahead.length < 10) return true
    if (ahead[1] !== 1 || ahead[3] !== 1) {
      client.destroy()
      return false
    }
    open(`${ahead[4]}.${ahead[5]}.${ahead[6]}.${ahead[7]}`, ahead.readUInt16BE(8))
    ahead = ahead.subarray(10)
    return false
  }

  const open = (host: string, port: number): void => {
    const socket = connect({
      host,
      port,
      noDelay: true,
      allowHalfOpen: true,
      onread: into((length) => send(client, length))
    })
    target = socket
    socket.on('error', () => client.destroy())
    socket.on('connect', () => {
      client.write(Uint8Array.of(5, 0, 0, 1, 127, 0, 0, 1, socket.localPort! >> 8, socket.localPort! & 255))
      if (ahead.length > 0) socket.write(ahead)
      isOpen = true
      relay(client, socket)
      relay(socket, client)
      client.resume()
    })
  }

  const client = adopt(accepted, (length) => (isOpen ? send(target!, length) : handshake(length)))
  client.on('error', () => target?.destroy())
})
server.listen(0, '127.0.0.1', () => announce((server.address() as AddressInfo).port))
