import type { Writable } from 'node:stream'

export interface LineWriterOptions {
  /** How many bytes may wait for a slow reader before lines are dropped. Default: 1 MiB. */
  limit?: number
  /** Told, when there is room again, how many lines were dropped. */
  onDropped?: (count: number) => void
  /** Told once, when nobody reads any more (EPIPE) or the disk is full; lines then go nowhere. */
  onBroken?: (error: Error) => void
}

/** Writes lines to a stream without ever waiting, failing or hoarding: a proxy does not stand still for its log. */
export const lineWriter = (
  stream: Writable,
  { limit = 1024 * 1024, onDropped = () => {}, onBroken = () => {} }: LineWriterOptions = {}
): ((line: string) => void) => {
  let dropped = 0
  let broken = false
  stream.on('error', (error) => {
    if (broken) return
    broken = true
    onBroken(error)
  })
  return (line) => {
    if (broken) return
    if (stream.writableLength > limit) {
      dropped++
      return
    }
    stream.write(line)
    if (dropped === 0) return
    const count = dropped
    dropped = 0
    onDropped(count)
  }
}
