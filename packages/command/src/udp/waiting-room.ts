/** Bounds what waits in an association, for whatever it waits. */
export interface WaitingRoom {
  /** Whether there is room for a datagram of so many bytes; who enters has to leave. */
  enter(bytes: number): boolean
  leave(bytes: number): void
}

export interface WaitingLimits {
  /** How many datagrams may wait, for names to be resolved and sockets to open. More are dropped. Default: 64. */
  maxWaiting?: number
  /** How many bytes of data they may have together. Default: 262,144. */
  maxWaitingBytes?: number
}

export const waitingRoom = ({ maxWaiting = 64, maxWaitingBytes = 256 * 1024 }: WaitingLimits): WaitingRoom => {
  let inside = 0
  let held = 0
  return {
    enter(bytes) {
      if (inside >= maxWaiting || held + bytes > maxWaitingBytes) return false
      inside += 1
      held += bytes
      return true
    },
    leave(bytes) {
      inside -= 1
      held -= bytes
    }
  }
}
