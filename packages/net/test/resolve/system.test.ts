import { lookup } from 'node:dns/promises'
import { getEventListeners } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { systemResolve } from '@it-socks/net'
import { UnresolvableError } from '@it-socks/protocol'
import { failureOf } from '../../../../test/support/duplex.ts'

// What the system knows of `localhost` is often of one family, and in no order then.
vi.mock('node:dns/promises', { spy: true })

const resolve = systemResolve()

describe('systemResolve', () => {
  it.each(['192.0.2.1', '2001:db8::1', 'fe80::1%eth0'])('is an IP address’s own answer: %s', async (ip) => {
    expect(await resolve(ip)).toEqual([ip])
  })

  it('finds what the system knows', async () => {
    const found = await resolve('localhost')
    expect(found.length).toBeGreaterThan(0)
    expect(['127.0.0.1', '::1']).toEqual(expect.arrayContaining([...found]))
  })

  it('finds addresses of one family only, where asked to', async () => {
    expect(await resolve('localhost', { family: 4 })).toEqual(['127.0.0.1'])
  })

  it('takes an address of the other family for none', async () => {
    expect(await failureOf(resolve('192.0.2.1', { family: 6 }))).toEqual(new UnresolvableError('192.0.2.1'))
  })

  it('writes IPv4 that is mapped into IPv6 as IPv4', async () => {
    expect(await resolve('::ffff:192.0.2.1')).toEqual(['192.0.2.1'])
  })

  it.each(['verbatim', 'ipv4first', 'ipv6first'] as const)('orders the families: %s', async (order) => {
    await systemResolve({ order })('localhost')
    expect(vi.mocked(lookup)).toHaveBeenLastCalledWith('localhost', { all: true, family: 0, order })
  })

  // RFC 6761 section 6.4: there is never such a name.
  it('names the host that has no address, and keeps the system’s error', async () => {
    const error = await failureOf(resolve('nowhere.invalid'))
    expect(error).toBeInstanceOf(UnresolvableError)
    expect(error).toMatchObject({
      code: 'ERR_SOCKS_UNRESOLVABLE',
      reply: 'host-unreachable',
      message: 'nowhere.invalid cannot be resolved',
      cause: { syscall: 'getaddrinfo', code: expect.stringMatching(/^(?:ENOTFOUND|EAI_AGAIN)$/) }
    })
  })

  it.each(['before', 'while'])('gives up with the signal’s reason, %s it looks', async (when) => {
    const owner = new AbortController()
    const reason = new Error('nobody wants to know any more')
    if (when === 'before') owner.abort(reason)
    const found = failureOf(resolve('localhost', { signal: owner.signal }))
    owner.abort(reason)
    expect(await found).toBe(reason)
    expect(getEventListeners(owner.signal, 'abort')).toEqual([])
  })

  it('leaves no listener on the signal when it has found', async () => {
    const { signal } = new AbortController()
    await resolve('localhost', { signal })
    await failureOf(resolve('nowhere.invalid', { signal }))
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
})
