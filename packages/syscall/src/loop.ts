import { isMainThread } from 'node:worker_threads'
import type { node } from 'koffi'
import { EINTR, EPOLLIN } from './constants.ts'
import { koffi } from './koffi.ts'
import { close, epollCreate1, epollCtl, epollWait } from './libc.ts'
import { allocate } from './memory.ts'
import { checked, systemError } from './system-error.ts'
import { awaitStop } from './threads.ts'

/** Whoever waits for a descriptor. */
export interface Watcher {
  /**
   * Something about the descriptor has changed: `events` are the kernel's (`EPOLLIN` …), all that hold now. 0 where `again`
   * had asked for it. Must not throw.
   */
  ready(events: number): void
}

/**
 * An epoll(7) loop that turns inside Node's own: timers, promises, lookups and messages go on as ever. All that is ready
 * is told in one batch; promise jobs run after each batch. There is one for each thread.
 */
export interface Loop {
  /** Watches a descriptor. With `EPOLLET` each change is told once. @throws {SystemError} */
  watch(fd: number, events: number, watcher: Watcher): void
  /**
   * From here on another is told of a descriptor that is watched. What had changed before is not told again.
   *
   * @returns whether it is watched: where not, nothing has happened
   */
  pass(fd: number, watcher: Watcher): boolean
  /** Forgets a descriptor, which is then closed. Nothing is told of it any more, not even what this batch still has. */
  close(fd: number): void
  /** Tells this one again in the next batch: it has more to do, and lets others go first. */
  again(watcher: Watcher): void
  /** Calls this once, when all of this batch has been told; outside of a batch, in the next. */
  afterBatch(act: () => void): void
  /** How many descriptors are watched. */
  readonly size: number
}

const EPOLL_CLOEXEC = 0o2000000
const EPOLL_CTL_ADD = 1
/** Told in one batch at the most. */
const most = 512
// struct epoll_event is packed on x86 alone.
const packed = process.arch === 'x64' || process.arch === 'ia32'
const stride = packed ? 3 : 4
const dataAt = packed ? 1 : 2

/** A descriptor's place: the number of times it was given away tells an old event of it from a new one. */
interface Place {
  watcher: Watcher | undefined
  age: number
}

const openLoop = (): Loop => {
  const places: Place[] = []
  const events = allocate(most * stride * 4)
  const words = new Int32Array(events.bytes.buffer, 0, most * stride)
  const one = allocate(stride * 4)
  const oneWords = new Int32Array(one.bytes.buffer, 0, stride)
  let epfd = -1
  let waiting: node.PollHandle | undefined
  let size = 0
  let inBatch = false
  let scheduled = false
  let more: Watcher[] = []
  let after: Array<() => void> = []

  const open = (): void => {
    epfd = checked(epollCreate1(EPOLL_CLOEXEC), 'epoll_create1')
    const poll = koffi.node.poll(epfd, { readable: true }, turn)
    poll.unref()
    waiting = poll
    if (!isMainThread) stopInTime(poll)
  }

  /**
   * A thread that is over must not be called any more: koffi would abort the whole process. And its descriptors would stay
   * open for as long as the process runs: who connects to a listener among them would wait for nobody.
   */
  const stopInTime = (poll: node.PollHandle): void => {
    process.once('exit', () => {
      poll.close()
      request?.stopped()
      places.forEach((place, fd) => {
        if (place.watcher !== undefined) forget(fd, place)
      })
      close(epfd)
    })
    const request = awaitStop()
    if (request === undefined) return
    add(request.fd, EPOLLIN, {
      ready() {
        poll.close()
        // Not before koffi has returned, who has called this.
        setImmediate(() => request.stopped())
      }
    })
  }

  const add = (fd: number, mask: number, watcher: Watcher): void => {
    const place = (places[fd] ??= { watcher: undefined, age: 0 })
    oneWords[0] = mask
    oneWords[dataAt] = fd
    oneWords[dataAt + 1] = place.age
    checked(epollCtl(epfd, EPOLL_CTL_ADD, fd, one.address), 'epoll_ctl')
    place.watcher = watcher
  }

  const forget = (fd: number, place: Place): void => {
    place.watcher = undefined
    place.age = (place.age + 1) | 0
    // The kernel forgets with the last descriptor of the socket: nobody here has another.
    close(fd)
  }

  /** A mistake of ours: the others of the batch must not lose their turn by it. */
  const later = (error: unknown): void =>
    process.nextTick(() => {
      throw error
    })

  const tell = (watcher: Watcher, events: number): void => {
    try {
      watcher.ready(events)
    } catch (error) {
      later(error)
    }
  }

  const schedule = (): void => {
    if (scheduled || inBatch) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      turn()
    })
  }

  const turn = (): void => {
    if (inBatch) return
    inBatch = true
    const told = more
    more = []
    const count = epfd === -1 ? 0 : epollWait(epfd, events.address, most, 0)
    if (count < 0 && count !== -EINTR) later(systemError(count, 'epoll_wait'))
    for (let index = 0; index < count; index++) {
      const at = index * stride
      const place = places[words[at + dataAt]!]!
      if (place.watcher !== undefined && place.age === words[at + dataAt + 1]) tell(place.watcher, words[at]!)
    }
    for (const watcher of told) tell(watcher, 0)
    while (after.length > 0) {
      const acts = after
      after = []
      for (const act of acts) {
        try {
          act()
        } catch (error) {
          later(error)
        }
      }
    }
    inBatch = false
    if (more.length > 0) schedule()
  }

  return {
    watch(fd, mask, watcher) {
      if (epfd === -1) open()
      add(fd, mask, watcher)
      size += 1
      if (size === 1) waiting?.ref()
    },
    pass(fd, watcher) {
      const place = places[fd]
      if (place?.watcher === undefined) return false
      place.watcher = watcher
      return true
    },
    close(fd) {
      const place = places[fd]
      if (place?.watcher === undefined) {
        close(fd)
        return
      }
      forget(fd, place)
      size -= 1
      if (size === 0) waiting?.unref()
    },
    again(watcher) {
      more.push(watcher)
      schedule()
    },
    afterBatch(act) {
      after.push(act)
      schedule()
    },
    get size() {
      return size
    }
  }
}

/**
 * The loop of this thread. It keeps the process alive for as long as it watches something. From the first descriptor that
 * it watches on it has one of its own, for the thread's life: to have it anew would cost a relay that is alone 9 µs.
 *
 * A worker thread may end by itself, by `process.exit()` (but not in a watcher), by an error, or with the process, provided
 * that the main thread has loaded this package before. What its loop watches is closed then. `worker.terminate()` does not
 * let it say anything: its descriptors stay open, so that a listener of its takes clients whom nobody serves, and where an
 * event comes at the same time the whole process may be aborted. Ask it to end instead.
 */
export const loop: Loop = openLoop()
