import { getEventListeners } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { dnsResolve, type DnsResolveOptions } from '@it-socks/net'
import { ConfigurationError, UnresolvableError } from '@it-socks/protocol'
import { failureOf } from '../../../../test/support/duplex.ts'
import { openDescriptors } from '../../../../test/support/process.ts'
import { dnsServer, type Answer } from '../dns-server.ts'

const ipv6 = (last: string): string => `2001:0db8:0000:0000:0000:0000:0000:${last}`

const both = { A: ['192.0.2.1', '192.0.2.2'], AAAA: [ipv6('0001')] }

/** A server that knows one name, and a `Resolve` that asks it. */
const knowing = async (records: { A?: Answer; AAAA?: Answer }, options: Partial<DnsResolveOptions> = {}) => {
  const server = await dnsServer({ 'example.com': records })
  return { server, resolve: dnsResolve({ servers: [server.address], ...options }) }
}

describe('dnsResolve', () => {
  it('asks for both families at once, IPv6 first', async () => {
    const { server, resolve } = await knowing(both)
    expect(await resolve('example.com')).toEqual(['2001:db8::1', '192.0.2.1', '192.0.2.2'])
    expect(server.asked.toSorted()).toEqual(['A example.com', 'AAAA example.com'])
  })

  it.each([
    ['verbatim', ['2001:db8::1', '192.0.2.1', '192.0.2.2']],
    ['ipv6first', ['2001:db8::1', '192.0.2.1', '192.0.2.2']],
    ['ipv4first', ['192.0.2.1', '192.0.2.2', '2001:db8::1']]
  ] as const)('orders the families: %s', async (order, expected) => {
    const { resolve } = await knowing(both, { order })
    expect(await resolve('example.com')).toEqual(expected)
  })

  it.each([
    [4, 'A example.com', ['192.0.2.1', '192.0.2.2']],
    [6, 'AAAA example.com', ['2001:db8::1']]
  ] as const)('asks for nothing else where IPv%s is wanted', async (family, question, expected) => {
    const { server, resolve } = await knowing(both)
    expect(await resolve('example.com', { family })).toEqual(expected)
    expect(server.asked).toEqual([question])
  })

  it('asks nobody about an IP address', async () => {
    const { server, resolve } = await knowing(both)
    expect(await resolve('192.0.2.7')).toEqual(['192.0.2.7'])
    expect(await failureOf(resolve('192.0.2.7', { family: 6 }))).toEqual(new UnresolvableError('192.0.2.7'))
    expect(server.asked).toEqual([])
  })

  it('writes IPv4 that a server gives mapped into IPv6 as IPv4: rules know it by that', async () => {
    const { resolve } = await knowing({ AAAA: ['0000:0000:0000:0000:0000:ffff:7f00:0001'] })
    expect(await resolve('example.com')).toEqual(['127.0.0.1'])
    expect(await failureOf(resolve('example.com', { family: 6 }))).toEqual(new UnresolvableError('example.com'))
  })

  it.each([
    { failing: 'SERVFAIL', records: { A: both.A, AAAA: 'SERVFAIL' as const } },
    { failing: 'no records', records: { A: both.A } }
  ])('takes what one family has where the other fails: $failing', async ({ records }) => {
    const { resolve } = await knowing(records)
    expect(await resolve('example.com')).toEqual(both.A)
  })

  // RFC 4074 section 4.1: servers that do not answer for AAAA.
  it('does not wait long for a family that is silent, once the other is there', async () => {
    const { resolve } = await knowing({ A: both.A, AAAA: 'silence' }, { timeout: 60_000, resolutionDelay: 1 })
    expect(await resolve('example.com')).toEqual(both.A)
  })

  it.each([
    { failure: 'there is no such name', records: undefined, code: 'ENOTFOUND' },
    { failure: 'it has no address', records: {}, code: 'ENODATA' },
    { failure: 'the server fails', records: { A: 'SERVFAIL', AAAA: 'SERVFAIL' }, code: 'ESERVFAIL' },
    { failure: 'the server fails for one and has nothing of the other', records: { A: 'SERVFAIL' }, code: 'ESERVFAIL' },
    { failure: 'nobody answers', records: { A: 'silence', AAAA: 'silence' }, code: 'ETIMEOUT' }
  ] as const)('says that a name cannot be resolved, and why: $failure', async ({ records, code }) => {
    const server = await dnsServer(records === undefined ? {} : { 'example.com': records })
    const before = openDescriptors()
    const resolve = dnsResolve({ servers: [server.address], timeout: 50, tries: 1 })
    const error = await failureOf(resolve('example.com'))
    expect(error).toBeInstanceOf(UnresolvableError)
    expect(error).toMatchObject({ message: 'example.com cannot be resolved', cause: { code } })
    await turn()
    expect(openDescriptors()).toEqual(before)
  })

  it('tries as often as it is told to', async () => {
    const { server, resolve } = await knowing({ A: 'silence' }, { timeout: 50, tries: 3 })
    await failureOf(resolve('example.com', { family: 4 }))
    expect(server.asked).toEqual(['A example.com', 'A example.com', 'A example.com'])
  })

  it('asks the next server where one is silent', async () => {
    const silent = await dnsServer({ 'example.com': { A: 'silence' } })
    const { server, resolve } = await knowing(both, { timeout: 50 })
    const resolveBoth = dnsResolve({ servers: [silent.address, server.address], timeout: 50, tries: 1 })
    expect(await resolveBoth('example.com', { family: 4 })).toEqual(await resolve('example.com', { family: 4 }))
    expect(silent.asked).toEqual(['A example.com'])
  })

  it('finds a name that is not ASCII by its A-label (RFC 5890)', async () => {
    const server = await dnsServer({ 'xn--bcher-kva.example': both })
    expect(await dnsResolve({ servers: [server.address] })('bücher.example', { family: 4 })).toEqual(both.A)
  })
})

describe('the signal of dnsResolve', () => {
  const reason = new Error('nobody wants to know any more')

  it('aborted before asks nobody', async () => {
    const { server, resolve } = await knowing(both)
    expect(await failureOf(resolve('example.com', { signal: AbortSignal.abort(reason) }))).toBe(reason)
    await turn()
    expect(server.asked).toEqual([])
  })

  it('cancels its own lookup alone, and leaves nothing', async () => {
    const { server, resolve } = await knowing(
      { A: 'silence', AAAA: both.AAAA },
      { timeout: 60_000, resolutionDelay: 1 }
    )
    const [owner, other] = [new AbortController(), new AbortController()]
    const before = openDescriptors()
    const cancelled = failureOf(resolve('example.com', { family: 4, signal: owner.signal }))
    await server.count(1)
    const going = resolve('example.com', { signal: other.signal })
    owner.abort(reason)
    expect(await cancelled).toBe(reason)
    expect(await going).toEqual(['2001:db8::1'])
    await turn()
    expect(openDescriptors()).toEqual(before)
    expect([owner, other].map(({ signal }) => getEventListeners(signal, 'abort'))).toEqual([[], []])
  })
})

describe('the options of dnsResolve', () => {
  it.each([
    '192.0.2.53',
    '192.0.2.53:5353',
    '2001:db8::53',
    '[2001:db8::53]',
    '[2001:db8::53]:5353',
    'fe80::1%eth0',
    '127.0.0.1:65535'
  ])('take a server: %s', (server) => {
    expect(dnsResolve({ servers: [server] })).toBeTypeOf('function')
  })

  // Node takes ports that are none, and one of 0 kills the process.
  it.each([
    '',
    'dns.example',
    'dns.example:53',
    '192.0.2.53:0',
    '192.0.2.53:65536',
    '192.0.2.53:',
    '[::1',
    '::1:x',
    '192.0.2'
  ])('refuse what is not a server’s address: "%s"', (server) => {
    expect(() => dnsResolve({ servers: ['192.0.2.53', server] })).toThrow(ConfigurationError)
  })

  it.each([{ servers: [] }, { servers: ['192.0.2.53'], timeout: -5 }, { servers: ['192.0.2.53'], tries: 0 }])(
    'refuse what makes no sense: %o',
    (options) => {
      expect(() => dnsResolve(options)).toThrow(ConfigurationError)
    }
  )
})
