import { readFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { koffi } from './koffi.ts'

const libc = koffi.load(null)

const RTLD_NOW = 2
const RTLD_NODELETE = 0x1000

/**
 * Keeps koffi in memory. It is taken out when the last thread that has loaded it ends, and what is called of it after that,
 * while the thread is cleaned up, is not there any more.
 */
const pin = (): void => {
  const [path] = /\/.*koffi\.node$/m.exec(readFileSync('/proc/self/maps', 'utf8')) ?? []
  const dlopen = libc.func('void *dlopen(const char *, int)') as (path: string, flags: number) => unknown
  if (path !== undefined) dlopen(path, RTLD_NOW | RTLD_NODELETE)
}

if (!isMainThread) pin()

type Native = (...args: number[]) => number
const native = (prototype: string): Native => libc.func(prototype) as Native

/** The C library returns -1 and puts the error aside; the system call itself returns the error, negative. So do we. */
const result = (returned: number): number => (returned === -1 ? -koffi.errno() : returned)

// All of these return what the system call does: a number from 0 on, or a negative errno. `address` is that of memory
// (see `allocate`), and nobody checks that `length` bytes are there.

const nativeSocket = native('int socket(int, int, int)')
/** socket(2) */
export const socket = (domain: number, type: number, protocol: number): number =>
  result(nativeSocket(domain, type, protocol))

const nativeSocketpair = native('int socketpair(int, int, int, intptr_t)')
/** socketpair(2): writes two descriptors, 32 bits each. */
export const socketpair = (domain: number, type: number, protocol: number, address: number): number =>
  result(nativeSocketpair(domain, type, protocol, address))

const nativeBind = native('int bind(int, intptr_t, int)')
/** bind(2) */
export const bind = (fd: number, address: number, length: number): number => result(nativeBind(fd, address, length))

const nativeListen = native('int listen(int, int)')
/** listen(2) */
export const listen = (fd: number, backlog: number): number => result(nativeListen(fd, backlog))

const nativeAccept4 = native('int accept4(int, intptr_t, intptr_t, int)')
/** accept4(2): writes the peer's address, and its length at `lengthAddress`. */
export const accept4 = (fd: number, address: number, lengthAddress: number, flags: number): number =>
  result(nativeAccept4(fd, address, lengthAddress, flags))

const nativeConnect = native('int connect(int, intptr_t, int)')
/** connect(2) */
export const connect = (fd: number, address: number, length: number): number =>
  result(nativeConnect(fd, address, length))

const nativeGetsockname = native('int getsockname(int, intptr_t, intptr_t)')
/** getsockname(2) */
export const getsockname = (fd: number, address: number, lengthAddress: number): number =>
  result(nativeGetsockname(fd, address, lengthAddress))

const nativeGetpeername = native('int getpeername(int, intptr_t, intptr_t)')
/** getpeername(2) */
export const getpeername = (fd: number, address: number, lengthAddress: number): number =>
  result(nativeGetpeername(fd, address, lengthAddress))

const nativeSetsockopt = native('int setsockopt(int, int, int, intptr_t, int)')
/** setsockopt(2) */
export const setsockopt = (fd: number, level: number, name: number, address: number, length: number): number =>
  result(nativeSetsockopt(fd, level, name, address, length))

const nativeGetsockopt = native('int getsockopt(int, int, int, intptr_t, intptr_t)')
/** getsockopt(2) */
export const getsockopt = (fd: number, level: number, name: number, address: number, lengthAddress: number): number =>
  result(nativeGetsockopt(fd, level, name, address, lengthAddress))

const nativeRecv = native('intptr_t recv(int, intptr_t, size_t, int)')
/** recv(2): how many bytes came; 0 where the peer has half-closed. */
export const recv = (fd: number, address: number, length: number, flags: number): number =>
  result(nativeRecv(fd, address, length, flags))

const nativeSend = native('intptr_t send(int, intptr_t, size_t, int)')
/** send(2): how many bytes the kernel took. */
export const send = (fd: number, address: number, length: number, flags: number): number =>
  result(nativeSend(fd, address, length, flags))

const nativeRecvmmsg = native('int recvmmsg(int, intptr_t, unsigned int, int, intptr_t)')
/** recvmmsg(2), without a timeout: how many datagrams came. `address` is that of an array of `struct mmsghdr`. */
export const recvmmsg = (fd: number, address: number, length: number, flags: number): number =>
  result(nativeRecvmmsg(fd, address, length, flags, 0))

const nativeSendmmsg = native('int sendmmsg(int, intptr_t, unsigned int, int)')
/** sendmmsg(2): how many datagrams were sent. */
export const sendmmsg = (fd: number, address: number, length: number, flags: number): number =>
  result(nativeSendmmsg(fd, address, length, flags))

const nativeShutdown = native('int shutdown(int, int)')
/** shutdown(2) */
export const shutdown = (fd: number, how: number): number => result(nativeShutdown(fd, how))

const nativeClose = native('int close(int)')
/** close(2) */
export const close = (fd: number): number => result(nativeClose(fd))

const nativeFcntl = native('int fcntl(int, int, int)')
/** fcntl(2), with a number for its argument. */
export const fcntl = (fd: number, command: number, argument: number): number =>
  result(nativeFcntl(fd, command, argument))

const nativePipe2 = native('int pipe2(intptr_t, int)')
/** pipe2(2): writes the reading and the writing descriptor, 32 bits each. */
export const pipe2 = (address: number, flags: number): number => result(nativePipe2(address, flags))

const nativeSplice = native('intptr_t splice(int, intptr_t, int, intptr_t, size_t, unsigned int)')
/** splice(2) between a pipe and a socket: how many bytes were moved; 0 where the peer has half-closed. */
export const splice = (from: number, to: number, length: number, flags: number): number =>
  result(nativeSplice(from, 0, to, 0, length, flags))

const nativeEpollCreate1 = native('int epoll_create1(int)')
/** epoll_create1(2) */
export const epollCreate1 = (flags: number): number => result(nativeEpollCreate1(flags))

const nativeEpollCtl = native('int epoll_ctl(int, int, int, intptr_t)')
/** epoll_ctl(2) */
export const epollCtl = (epfd: number, operation: number, fd: number, address: number): number =>
  result(nativeEpollCtl(epfd, operation, fd, address))

const nativeEpollWait = native('int epoll_wait(int, intptr_t, int, int)')
/** epoll_wait(2) */
export const epollWait = (epfd: number, address: number, length: number, timeout: number): number =>
  result(nativeEpollWait(epfd, address, length, timeout))

const nativeEventfd = native('int eventfd(unsigned int, int)')
/** eventfd(2) */
export const eventfd = (value: number, flags: number): number => result(nativeEventfd(value, flags))

const nativeEventfdWrite = native('int eventfd_write(int, uint64_t)')
/** eventfd_write(3) */
export const eventfdWrite = (fd: number, value: number): number => result(nativeEventfdWrite(fd, value))
