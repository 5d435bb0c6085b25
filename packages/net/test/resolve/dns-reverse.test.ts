import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { dnsReverse } from '@it-socks/net'
import { ConfigurationError, UnresolvableError } from '@it-socks/protocol'
import { failureOf } from '../../../../test/support/duplex.ts'
import { dnsServer, type Answer } from '../dns-server.ts'

const ofIpv4 = '1.2.0.192.in-addr.arpa'
const ofIpv6 = 'f.e.d.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa'

const knowing = async (names: Readonly<Record<string, Answer>>) => {
  const server = await dnsServer(Object.fromEntries(Object.entries(names).map(([name, PTR]) => [name, { PTR }])))
  return { server, reverse: dnsReverse({ servers: [server.address] }) }
}

describe('dnsReverse', () => {
  it('asks for the name of an IPv4 address, and of an IPv6 one', async () => {
    const { server, reverse } = await knowing({ [ofIpv4]: ['four.example'], [ofIpv6]: ['six.example'] })
    expect(await reverse('192.0.2.1')).toBe('four.example')
    expect(await reverse('::ffff:192.0.2.1')).toBe('four.example')
    expect(await reverse('2001:db8::cdef')).toBe('six.example')
    expect(server.asked).toEqual([`PTR ${ofIpv4}`, `PTR ${ofIpv4}`, `PTR ${ofIpv6}`])
  })

  it('takes the first of several names', async () => {
    const { reverse } = await knowing({ [ofIpv4]: ['first.example', 'second.example'] })
    expect(await reverse('192.0.2.1')).toBe('first.example')
  })

  it('does not look into the hosts file', async () => {
    const { server, reverse } = await knowing({})
    expect(await failureOf(reverse('127.0.0.1'))).toBeInstanceOf(UnresolvableError)
    expect(server.asked).toEqual(['PTR 1.0.0.127.in-addr.arpa'])
  })

  it.each([
    { records: {}, code: 'ENOTFOUND' },
    { records: { [ofIpv4]: [] }, code: 'ENODATA' },
    { records: { [ofIpv4]: 'SERVFAIL' as const }, code: 'ESERVFAIL' }
  ])('says that an address has no name, and keeps the resolver’s error: $code', async ({ records, code }) => {
    const { reverse } = await knowing(records)
    const error = await failureOf(reverse('192.0.2.1'))
    expect(error).toBeInstanceOf(UnresolvableError)
    expect(error).toMatchObject({ message: '192.0.2.1 cannot be resolved', cause: { code } })
  })

  it.each(['localhost', '', '127.1'])('asks nobody about what is not an address: "%s"', async (host) => {
    const { server, reverse } = await knowing({})
    expect(await failureOf(reverse(host))).toEqual(new UnresolvableError(host))
    expect(server.asked).toEqual([])
  })

  it.each(['before', 'while'])('gives up with the signal’s reason, %s it asks', async (when) => {
    const { server, reverse } = await knowing({ [ofIpv4]: 'silence' })
    const owner = new AbortController()
    const reason = new Error('nobody wants to know any more')
    if (when === 'before') owner.abort(reason)
    const found = failureOf(reverse('192.0.2.1', { signal: owner.signal }))
    if (when === 'while') await server.count(1)
    owner.abort(reason)
    expect(await found).toBe(reason)
    expect(getEventListeners(owner.signal, 'abort')).toEqual([])
  })

  it.each([[[]], [['dns.example']], [['192.0.2.53:0']]])('refuses these servers: %j', (servers) => {
    expect(() => dnsReverse({ servers })).toThrow(ConfigurationError)
  })
})
