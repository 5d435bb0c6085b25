import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { pattern } from '../support/duplex.ts'
import { hear } from '../support/sockets.ts'
import { supported, ways } from './engines.ts'
import { megabyte, pair, relay, relayOf } from './setup.ts'

const syscall = await supported(() => import('@it-socks/syscall'))

/** Sends text with its last byte urgent. Node has no way to. */
const sendUrgent = (socket: Socket, text: string): void => {
  const { MSG_OOB, allocate, send } = syscall!
  const { _handle: handle } = socket as unknown as { _handle: { fd: number } }
  const memory = allocate(text.length)
  memory.bytes.set(Buffer.from(text))
  expect(send(handle.fd, memory.address, text.length, MSG_OOB)).toBe(text.length)
}

describe.runIf(syscall !== undefined).each(ways)('urgent data through a relay by $name', (way) => {
  // A read stops at it, although more has come behind it; and splice(2) does not get past it.
  it.each([0, 8 * megabyte])('does not hold up what comes behind it, with %d bytes before', async (length) => {
    const { client, target, outcome } = await relay(way)
    const heard = hear(target)
    client.write(pattern(length))
    if (client.writableNeedDrain) await once(client, 'drain')
    client.resume().write('before ')
    sendUrgent(client, 'interrupt!')
    client.end(' after')
    // The urgent byte itself is no part of the stream.
    expect((await heard).subarray(length).toString()).toBe('before interrupt after')
    target.end()
    expect(await outcome).toEqual({ up: length + 22, down: 0 })
  })

  it.each([0, 100_000])('may have come before there was a relay, with %d bytes before', async (length) => {
    const both = await pair(way)
    both.client.write(pattern(length))
    expect(both.client.writableLength).toBe(0)
    sendUrgent(both.client, 'interrupt!')
    const behind = pattern(8 * megabyte)
    both.client.end(behind)
    await turn()
    const { client, target, outcome } = relayOf(way, both)
    client.resume()
    const heard = await hear(target)
    expect(heard.length).toBe(length + 9 + behind.length)
    expect(heard.subarray(-behind.length).equals(behind)).toBe(true)
    target.end()
    expect(await outcome).toEqual({ up: heard.length, down: 0 })
  })
})
