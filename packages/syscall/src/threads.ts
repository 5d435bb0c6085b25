import { readlinkSync } from 'node:fs'
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'
import { close, eventfd, eventfdWrite } from './libc.ts'

/**
 * Whom to ask to stop before the process exits: koffi calls into a thread that waits for its descriptors even while that is
 * being taken down, and then aborts the process.
 *
 * A place for each thread that waits: the eventfd(2) that wakes it, plus one; zero for nobody. Threads have it from whoever
 * started them, if he had loaded this, too.
 */
const key = '@it-socks/syscall'
const most = 1024
/** How long a thread may take to stop, in milliseconds. */
const patience = 1000

const begin = (): Int32Array => {
  const places = new Int32Array(new SharedArrayBuffer(most * 4))
  setEnvironmentData(key, places.buffer)
  process.once('exit', () => stopAll(places))
  return places
}

const shared = (): Int32Array | undefined => {
  const buffer: unknown = getEnvironmentData(key)
  return buffer instanceof SharedArrayBuffer ? new Int32Array(buffer) : undefined
}

const places = isMainThread ? begin() : shared()

const stopAll = (places: Int32Array): void => {
  for (let index = 0; index < most; index++) {
    const place = Atomics.load(places, index)
    if (place === 0 || !isEventfd(place - 1)) continue
    eventfdWrite(place - 1, 1)
    Atomics.wait(places, index, place, patience)
  }
}

/** Whether it still is: a thread that was terminated has said nothing. */
const isEventfd = (fd: number): boolean => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) === 'anon_inode:[eventfd]'
  } catch {
    return false
  }
}

/** How a thread that waits hears that it has to stop. */
export interface StopRequest {
  /** Readable when it has to. */
  readonly fd: number
  /** Says that it waits no more. The descriptor is closed by that. */
  stopped(): void
}

/** Has this thread asked to stop before the process exits; nobody asks the main thread. */
export const awaitStop = (): StopRequest | undefined => {
  if (isMainThread || places === undefined) return undefined
  const fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)
  if (fd < 0) return undefined
  let closed = false
  const index = places.findIndex((_, index) => Atomics.compareExchange(places, index, 0, fd + 1) === 0)
  return {
    fd,
    stopped() {
      if (closed) return
      closed = true
      close(fd)
      if (index === -1) return
      Atomics.store(places, index, 0)
      Atomics.notify(places, index)
    }
  }
}

const EFD_CLOEXEC = 0o2000000
const EFD_NONBLOCK = 0o4000
