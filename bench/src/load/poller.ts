import {
  allocate,
  checked,
  close,
  EINTR,
  EPOLLET,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  epollCreate1,
  epollCtl,
  epollWait
} from '@it-socks/syscall'

/** One end of a connection, and what it does when something has happened to its descriptor. */
export interface Party {
  readonly fd: number
  ready(events: number): void
}

/** A blocking epoll loop: nothing else of Node's goes on while it runs, so nothing but system calls costs time. */
export interface Poller {
  /** From here on this party is told of all changes, each once. */
  watch(party: Party): void
  /** Puts another party in place of the one with the same descriptor. */
  pass(party: Party): void
  /** Tells it again in the next batch: it has more to do, and lets others go first. */
  again(party: Party): void
  /** Forgets and closes a descriptor, at the end of the batch: until then its number stands for nothing else. */
  drop(fd: number): void
  /**
   * Runs until `done`. Tells `quiet` when nothing has happened for `patience` milliseconds; without it, that is a failure.
   *
   * @throws {Error} what a party throws, or that nothing has happened
   */
  run(done: () => boolean, patience?: number, quiet?: () => void): void
  /** Goes on for so many milliseconds, whatever happens. */
  wait(milliseconds: number): void
  /** Closes all descriptors. */
  close(): void
}

const ADD = 1
const most = 1024
// struct epoll_event is packed on x86 alone.
const stride = process.arch === 'x64' ? 3 : 4
const dataAt = stride - 2

const fail = (patience: number): never => {
  throw new Error(`nothing has happened for ${patience / 1000} s`)
}

const openPoller = (): Poller => {
  const epfd = checked(epollCreate1(0), 'epoll_create1')
  const events = allocate(most * stride * 4)
  const words = new Int32Array(events.bytes.buffer, 0, most * stride)
  const one = allocate(16)
  const oneWords = new Int32Array(one.bytes.buffer, 0, 4)
  const parties: Array<Party | undefined> = []
  const { ppid } = process
  let turns = 0
  let dropped: number[] = []
  let more: Party[] = []

  const sweep = (): void => {
    for (const fd of dropped) close(fd)
    dropped = []
  }

  /** One batch; how much has happened. */
  const turn = (timeout: number): number => {
    // Nothing else would tell: messages are not read while this runs.
    if (++turns % 4096 === 0 && process.ppid !== ppid) throw new Error('nobody waits for the results any more')
    // What was dropped between two batches is not to wait for the end of the next.
    sweep()
    const told = more
    more = []
    const count = epollWait(epfd, events.address, most, told.length > 0 ? 0 : timeout)
    if (count < 0 && count !== -EINTR) checked(count, 'epoll_wait')
    for (let index = 0; index < count; index++) {
      parties[words[index * stride + dataAt]!]?.ready(words[index * stride]!)
    }
    for (const party of told) if (parties[party.fd] === party) party.ready(0)
    sweep()
    return Math.max(count, 0) + told.length
  }

  return {
    watch(party) {
      parties[party.fd] = party
      oneWords[0] = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET
      oneWords[dataAt] = party.fd
      checked(epollCtl(epfd, ADD, party.fd, one.address), 'epoll_ctl')
    },
    pass(party) {
      parties[party.fd] = party
    },
    again(party) {
      more.push(party)
    },
    drop(fd) {
      if (parties[fd] === undefined) return
      parties[fd] = undefined
      dropped.push(fd)
    },
    run(done, patience = 10_000, quiet = () => fail(patience)) {
      while (!done()) if (turn(patience) === 0 && !done()) quiet()
    },
    wait(milliseconds) {
      const end = performance.now() + milliseconds
      for (let left = milliseconds; left > 0; left = end - performance.now()) turn(Math.ceil(left))
    },
    close() {
      parties.forEach((party, fd) => {
        if (party !== undefined) close(fd)
      })
      parties.length = 0
      close(epfd)
    }
  }
}

/** Does something on a loop of its own, and leaves no descriptor open. */
export const withPoller = <Result>(act: (poller: Poller) => Result): Result => {
  const poller = openPoller()
  try {
    return act(poller)
  } finally {
    poller.close()
  }
}
