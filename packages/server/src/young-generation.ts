import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** V8's own default lets it take 32 MB, and 16 more while it collects. */
const enough = 8 * 1024 * 1024
/** It grows when much survives: a million small objects are more than it takes. */
const most = 1000

const size = (): number =>
  getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? enough

/**
 * Keeps the part of V8's heap for what is new at 8 MB, for the life of the process; takes some 20 ms. By itself it grows to 32 MB
 * as soon as a few thousand relays begin, and stays so: more than the relays themselves have. For a process that is a
 * proxy and not much else; the same as `node --max-semi-space-size=4`, for those who cannot say that. Threads of
 * `serveInThreads` have it.
 *
 * @example
 *
 * ```ts
 * import { createServer, limitYoungGeneration } from '@it-socks/server'
 *
 * limitYoungGeneration()
 * const server = createServer()
 * ```
 */
export const limitYoungGeneration = (): void => {
  const kept: object[][] = []
  while (size() < enough && kept.length < most) kept.push(Array.from({ length: 1000 }, (_, index) => ({ index })))
  // Its size can be set only when Node starts, but how fast it grows at any time.
  setFlagsFromString('--semi-space-growth-factor=1')
}
