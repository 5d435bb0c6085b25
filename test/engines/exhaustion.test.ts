import { closeSync, openSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { hex } from '@it-socks/testing'
import { pattern } from '../support/duplex.ts'
import { limitDescriptors } from '../support/limit.ts'
import { openDescriptors } from '../support/process.ts'
import { needs } from '../support/programs.ts'
import { hear, over } from '../support/sockets.ts'
import { ways } from './engines.ts'
import { open, serve } from './served.ts'
import { megabyte, next, pair, relay, relayOf } from './setup.ts'

/** Takes all descriptors that there are but so many. Returns what gives them back, as the end of the test does. */
const exhaust = (left = 0): (() => void) => {
  const restore = limitDescriptors(openDescriptors().length + 100)
  const taken: number[] = []
  expect(() => {
    for (;;) taken.push(openSync('/dev/null', 'r'))
  }).toThrow('EMFILE')
  for (const fd of taken.splice(0, left)) closeSync(fd)
  const release = (): void => {
    for (const fd of taken.splice(0)) closeSync(fd)
    restore()
  }
  onTestFinished(release)
  return release
}

describe.each(ways)('with no descriptors left, $name', (way) => {
  needs('prlimit')

  it('goes on with the relays that there are, in bulk, too', async () => {
    const { client, target, outcome } = await relay(way)
    client.write('before')
    expect(await next(target)).toBe('before')
    const release = exhaust()
    const said = pattern(16 * megabyte)
    const [atTarget, atClient] = [hear(target), hear(client)]
    client.end(said)
    target.end(said)
    expect((await atTarget).equals(said)).toBe(true)
    expect((await atClient).equals(said)).toBe(true)
    release()
    expect(await outcome).toEqual({ up: said.length + 6, down: said.length })
  })

  it.each([0, 1])('joins connections that there are, with %d left', async (left) => {
    const both = await pair(way)
    const release = exhaust(left)
    const { client, target, outcome } = relayOf(way, both)
    const said = pattern(4 * megabyte)
    const [atTarget, atClient] = [hear(target), hear(client)]
    client.end(said)
    target.end('answer')
    expect((await atTarget).equals(said)).toBe(true)
    expect((await atClient).toString()).toBe('answer')
    release()
    expect(await outcome).toEqual({ up: said.length, down: 6 })
  })

  it.runIf(way.name !== 'iterators')('serves clients again as soon as there are some', async () => {
    const { server, port, relay } = await serve(way)
    server.on('acceptError', () => {})
    const old = await relay()
    // One is left, for the socket of the client who comes then.
    const release = exhaust(1)
    const late = await open(port)
    old.client.write('is anybody there?')
    expect(await next(old.target)).toBe('is anybody there?')
    release()
    late.write(hex`05 01 00`)
    // It waits until it is served, or it is closed at once.
    await Promise.race([next(late), over(late)])
    const { client, target } = await relay()
    client.write('hello')
    expect(await next(target)).toBe('hello')
  })
})
