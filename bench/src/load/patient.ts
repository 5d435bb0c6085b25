import type { Party } from './poller.ts'

/** A party whose failure is not that of the whole: `failed` is told, once, and it is told of nothing any more. */
export const patient = (party: Party, failed: (error: unknown) => void): Party => {
  let hasFailed = false
  return {
    fd: party.fd,
    ready(events) {
      if (hasFailed) return
      try {
        party.ready(events)
      } catch (error) {
        hasFailed = true
        failed(error)
      }
    }
  }
}
