import { readdirSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { onTestFinished } from 'vitest'

/** Turns the event loop until this is so. */
export const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await turn()
}

/** Turns the event loop until `count` has stood still for so many turns: nothing moves any more. */
export const standstill = async (count: () => number, turns = 50): Promise<number> => {
  let last = count()
  for (let still = 0; still < turns; still++) {
    await turn()
    if (count() !== last) still = 0
    last = count()
  }
  return last
}

/** The file descriptors of this process. */
export const openDescriptors = (): string[] => readdirSync('/dev/fd').toSorted()

/** How many descriptors this process has, once that stands still. */
export const descriptors = (): Promise<number> => standstill(() => openDescriptors().length)

/**
 * Remembers how many descriptors this process has now, those that earlier tests have just closed not counted. What comes
 * back resolves once so many more of them are closed.
 */
export const countClosed = async (): Promise<(count: number) => Promise<void>> => {
  const before = await descriptors()
  return (count) => until(() => openDescriptors().length <= before - count)
}

const handles = new Set(['TCPSocketWrap', 'TCPConnectWrap', 'TCPServerWrap', 'UDPWrap', 'PipeWrap'])

/** All that this process has open: descriptors, and Node's handles of sockets, which may be there without one. */
export const openResources = (): number =>
  openDescriptors().length + process.getActiveResourcesInfo().filter((name) => handles.has(name)).length

/** What nobody catches until the test is over, which would be the end of the process. */
export const uncaughtErrors = (): unknown[] => {
  const errors: unknown[] = []
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => errors.push(error))
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException')
    for (const other of others) process.on('uncaughtException', other)
  })
  return errors
}
