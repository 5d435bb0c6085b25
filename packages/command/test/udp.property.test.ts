import { setImmediate as quiet } from 'node:timers/promises'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { reassemble } from '@it-socks/command'
import {
  UnresolvableError,
  addressType,
  datagramHeader,
  decodeDatagram,
  encodeDatagram,
  formatAddress,
  type Datagram
} from '@it-socks/protocol'
import type { Resolve } from '@it-socks/stage'
import { hex, toHex } from '@it-socks/testing'
import { associate } from './udp-setup.ts'

const hosts = ['198.51.100.9', '198.51.100.10', '2001:db8::9', 'dns.example', 'nowhere.example']

const wellFormed = fc
  .record({
    fragment: fc.oneof(fc.constant(0), fc.constantFrom(1, 2, 3, 0x81, 0x82, 0x83, 0x80)),
    destination: fc.record({ host: fc.constantFrom(...hosts), port: fc.constantFrom(53, 54, 0) }),
    data: fc.uint8Array({ maxLength: 16 })
  })
  .map(encodeDatagram)

/** Right as often as not: noise alone would not get past the header. */
const datagram = fc.oneof(
  wellFormed,
  fc.uint8Array({ maxLength: 32 }),
  fc
    .tuple(wellFormed, fc.nat(), fc.nat({ max: 255 }))
    .map(([bytes, place, byte]) => bytes.with(place % bytes.length, byte)),
  fc.tuple(wellFormed, fc.nat()).map(([bytes, length]) => bytes.subarray(0, length % bytes.length))
)

const addresses = new Map([['dns.example', '198.51.100.10']])
const places = ['198.51.100.9', '198.51.100.10', '2001:db8::9'].flatMap((host) =>
  [53, 54].map((port) => ({ host, port }))
)

/** What is to become of a client's datagrams: what each target gets, as text, and how many are dropped. */
const expectedOf = (datagrams: readonly Uint8Array[]) => {
  const sent = new Map(places.map((place) => [formatAddress(place), [] as string[]]))
  const dropped = { malformed: 0, fragment: 0, unresolvable: 0 }
  const { take, stop } = reassemble((fragments) => {
    dropped.fragment += fragments
  })
  for (const bytes of datagrams) {
    const datagram = decoded(bytes)
    if (datagram === undefined || datagram.destination.port === 0) dropped.malformed += 1
    const whole = datagram && datagram.destination.port > 0 ? take(datagram) : undefined
    if (whole === undefined) continue
    const { host, port } = whole.destination
    const ip = addressType(host) === 'domain' ? addresses.get(host) : host
    if (ip === undefined) dropped.unresolvable += 1
    else sent.get(formatAddress({ host: ip, port }))?.push(toHex(whole.data))
  }
  stop()
  return { sent, dropped: Object.fromEntries(Object.entries(dropped).filter(([, count]) => count > 0)) }
}

const decoded = (bytes: Uint8Array): Datagram | undefined => {
  try {
    return decodeDatagram(bytes)
  } catch {
    return undefined
  }
}

const resolve: Resolve = async (host) => {
  const ip = addresses.get(host)
  if (ip === undefined) throw new UnresolvableError(host)
  return [ip]
}

describe('whatever a client sends', () => {
  it('is sent if it is well-formed, is counted if it is not, and breaks nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(datagram, { maxLength: 30 }), async (datagrams) => {
        const { network, client, bound, dropped, leave, ended } = await associate({ resolve })
        const targets = places.map(({ host, port }) => network.bind(host, port))
        for (const bytes of datagrams) client.send(bytes, bound)
        await quiet()

        const expected = expectedOf(datagrams)
        for (const { localAddress, inbox } of targets) {
          // What waits for its name may be overtaken by what has the same address, but not lost.
          const got = inbox.map(({ data }) => toHex(data)).toSorted()
          expect(got).toEqual(expected.sent.get(formatAddress(localAddress))?.toSorted())
        }
        expect(dropped()).toEqual(expected.dropped)
        expect(client.inbox).toEqual([])
        leave()
        expect(await ended).toBe('closed')
        expect(network.open()).toEqual([])
      }),
      { numRuns: 200 }
    )
  })

  it('of one header after the other, each is read as if it stood alone', async () => {
    const header = fc
      .tuple(
        fc.constantFrom('198.51.100.9', '198.51.100.99'),
        fc.constantFrom(53, 54),
        fc.uint8Array({ maxLength: 12 })
      )
      .map(([host, port, data]) => ({ fragment: 0, destination: { host, port }, data }))
    await fc.assert(
      fc.asyncProperty(fc.array(header, { maxLength: 20 }), async (datagrams) => {
        const { network, client, bound, leave } = await associate()
        const target = network.bind('198.51.100.9', 53)
        for (const value of datagrams) client.send(encodeDatagram(value), bound)
        await quiet()
        const own = datagrams.filter(({ destination: { host, port } }) => host === '198.51.100.9' && port === 53)
        expect(target.inbox.map(({ data }) => data)).toEqual(own.map(({ data }) => data))
        leave()
      }),
      { numRuns: 100 }
    )
  })

  it('comes back to it behind a header that is one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), fc.integer({ min: 1, max: 65_535 }), async (data, port) => {
        const { network, client, bound, leave } = await associate({ destination: { host: '0.0.0.0', port: 49_153 } })
        network.bind('198.51.100.9', port).send(data, bound)
        const { data: received } = await client.receive()
        const from = { host: '198.51.100.9', port }
        expect(received).toEqual(hex`${datagramHeader.encode({ fragment: 0, destination: from })} ${data}`)
        leave()
      }),
      { numRuns: 50 }
    )
  })
})
