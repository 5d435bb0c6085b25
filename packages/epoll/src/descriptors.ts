import { loop } from '@it-socks/syscall'

/** Who waits for a descriptor to be free: listeners, when there are as many open as there may be. */
const waiting = new Set<() => void>()

/** Tells those who wait that a descriptor has been closed. */
export const freed = (): void => {
  if (waiting.size === 0) return
  const told = [...waiting]
  waiting.clear()
  for (const act of told) act()
}

/** Closes a descriptor that the loop watches. */
export const closeDescriptor = (fd: number): void => {
  loop.close(fd)
  freed()
}

/** For those that others close, or other processes where the system itself has no more. */
const patience = 1000

/**
 * Calls `act` once, when a descriptor of ours has been closed, or after a second: others may have closed some. Returns what
 * takes it back.
 */
export const whenFreed = (act: () => void): (() => void) => {
  const once = (): void => {
    forget()
    act()
  }
  const timer = setTimeout(once, patience)
  const forget = (): void => {
    clearTimeout(timer)
    waiting.delete(once)
  }
  waiting.add(once)
  return forget
}
