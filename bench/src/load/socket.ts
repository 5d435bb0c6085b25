import {
  AF_INET,
  allocate,
  bind,
  checked,
  connect,
  EAGAIN,
  EINPROGRESS,
  EINTR,
  getsockname,
  IPPROTO_TCP,
  listen,
  setsockopt,
  SO_RCVBUF,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  socket,
  socketAddress,
  SOL_SOCKET,
  TCP_NODELAY,
  accept4
} from '@it-socks/syscall'
import type { Party, Poller } from './poller.ts'

const host = '127.0.0.1'
const address = socketAddress()
const yes = allocate(4)
yes.view.setInt32(0, 1, true)

const noDelay = (fd: number): void => {
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, yes.address, 4)
}

/** A TCP connection to this port that is under way. */
export const connectTo = (port: number): number => {
  const fd = checked(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'socket')
  noDelay(fd)
  const result = connect(fd, address.address, address.write({ host, port }))
  if (result !== -EINPROGRESS) checked(result, 'connect')
  return fd
}

const portOf = (fd: number): number => {
  address.clear()
  checked(getsockname(fd, address.address, address.lengthAddress), 'getsockname')
  return address.read()!.port
}

const EADDRINUSE = 98
const pause = new Int32Array(new SharedArrayBuffer(4))

/** After so many connections all ports may be taken by some that are in TIME_WAIT, which lasts a minute. */
const bound = (type: number): number => {
  const fd = checked(socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'socket')
  for (let attempt = 0; ; attempt++) {
    const result = bind(fd, address.address, address.write({ host, port: 0 }))
    if (result >= 0) return fd
    if (result !== -EADDRINUSE || attempt === 60) checked(result, 'bind')
    Atomics.wait(pause, 0, 0, 1000)
  }
}

/** A UDP socket at a port of the system's choice, with room for a burst. */
export const datagramSocket = (): { fd: number; port: number } => {
  const fd = bound(SOCK_DGRAM)
  const size = allocate(4)
  size.view.setInt32(0, 2 * 1024 * 1024, true)
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, size.address, 4)
  return { fd, port: portOf(fd) }
}

/** Sends and receives only to and from this port. */
export const connectDatagrams = (fd: number, port: number): void => {
  checked(connect(fd, address.address, address.write({ host, port })), 'connect')
}

/** Listens at a port of the system's choice; `serve` makes a party of each connection. */
export const target = (poller: Poller, serve: (fd: number) => Party): number => {
  const fd = bound(SOCK_STREAM)
  checked(listen(fd, 4096), 'listen')
  poller.watch({
    fd,
    ready() {
      for (;;) {
        const accepted = accept4(fd, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC)
        if (accepted === -EAGAIN) return
        if (accepted === -EINTR) continue
        noDelay(checked(accepted, 'accept4'))
        poller.watch(serve(accepted))
      }
    }
  })
  return portOf(fd)
}

/** Whether a call has nothing to give or take now. @throws {SystemError} for any other error */
export const wouldBlock = (result: number, call: string): boolean => {
  if (result >= 0) return false
  if (result === -EAGAIN) return true
  checked(result, call)
  return false
}
