import { getEventListeners } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { addressesOf } from '@it-socks/net'
import { UnresolvableError } from '@it-socks/protocol'
import type { Resolve } from '@it-socks/stage'
import { failureOf } from '../../../../test/support/duplex.ts'

describe('addressesOf', () => {
  it('asks as it was asked, and takes addresses alone, in one way to write them', async () => {
    const resolve = vi.fn<Resolve>(async () => ['2001:DB8:0::1', 'localhost', '::ffff:127.0.0.1', '::ffff:c000:201'])
    const options = { signal: new AbortController().signal }
    expect(await addressesOf(resolve, 'name', options)).toEqual(['2001:db8::1', '127.0.0.1', '192.0.2.1'])
    expect(resolve.mock.calls).toEqual([['name', options]])
    expect(getEventListeners(options.signal, 'abort')).toEqual([])
  })

  it('takes no mapped IPv4 address for IPv6', async () => {
    const resolve: Resolve = async () => ['::ffff:127.0.0.1', '::1']
    expect(await addressesOf(resolve, 'name', { family: 6 })).toEqual(['::1'])
    expect(await addressesOf(resolve, 'name', { family: 4 })).toEqual(['127.0.0.1'])
  })

  it('asks nobody about an address', async () => {
    const resolve = vi.fn<Resolve>(async () => ['192.0.2.9'])
    expect(await addressesOf(resolve, '::ffff:192.0.2.1')).toEqual(['192.0.2.1'])
    expect(resolve).not.toHaveBeenCalled()
  })

  it('fails where nothing is left: of a name', async () => {
    expect(await failureOf(addressesOf(async () => ['localhost'], 'name'))).toEqual(new UnresolvableError('name'))
  })

  it('fails where nothing is left: of an address', async () => {
    expect(await failureOf(addressesOf(async () => [], '::1', { family: 4 }))).toMatchObject({
      name: 'RefusedError',
      reply: 'address-type-not-supported'
    })
  })
})
