import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import {
  AF_UNIX,
  EPOLLET,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  allocate,
  checked,
  loop,
  recv,
  send,
  socketpair,
  type Watcher
} from '@it-socks/syscall'

export const edges: number = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET

const memory = allocate(64)

const open = new Set<number>()

/** Closes a descriptor, unless it is closed: its number may be somebody else's by then. */
export const shut = (fd: number): void => {
  if (open.delete(fd)) loop.close(fd)
}

/** Two descriptors that are each other's peers, until the test is over. `shut` is what closes them. */
export const pair = (): [number, number] => {
  const type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC
  checked(socketpair(AF_UNIX, type, 0, memory.address), 'socketpair')
  const fds: [number, number] = [memory.view.getInt32(0, true), memory.view.getInt32(4, true)]
  for (const fd of fds) open.add(fd)
  onTestFinished(() => {
    for (const fd of fds) shut(fd)
  })
  return fds
}

export const say = (fd: number, text: string): void => {
  memory.bytes.set(Buffer.from(text))
  const sent = send(fd, memory.address, text.length, MSG_NOSIGNAL | MSG_DONTWAIT)
  if (sent !== text.length) throw new Error(`sent ${sent} of ${text.length} bytes`)
}

export const hear = (fd: number): string => {
  const came = checked(recv(fd, memory.address, 64, MSG_DONTWAIT), 'recv')
  return Buffer.from(memory.bytes.subarray(0, came)).toString()
}

/** A watcher that keeps what it is told. */
export const recorder = (act: (events: number) => void = () => {}) => {
  const told: number[] = []
  const waiting: Array<() => void> = []
  const watcher: Watcher = {
    ready(events) {
      told.push(events)
      for (const resolve of waiting.splice(0)) resolve()
      act(events)
    }
  }
  return {
    told,
    watcher,
    /** Resolves when it is told something more. */
    next: () =>
      new Promise<void>((resolve) => {
        waiting.push(resolve)
      })
  }
}

/** Resolves when the loop has told a whole batch more. */
export const batch = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(() => loop.afterBatch(resolve))
  })

/** What is thrown past everybody; vitest is not told. */
export const uncaught = async (): Promise<unknown> => {
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  const [error] = (await once(process, 'uncaughtException')) as unknown[]
  for (const listener of listeners) process.on('uncaughtException', listener)
  return error
}
