import { getEventListeners } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { tableResolve } from '@it-socks/net'
import { ConfigurationError, RefusedError, UnresolvableError } from '@it-socks/protocol'
import type { Resolve } from '@it-socks/stage'
import { failureOf } from '../../../../test/support/duplex.ts'

const table = { 'One.Example': '192.0.2.1', 'both.example.': ['2001:db8::1', '192.0.2.2'], 'none.example': [] }

describe('tableResolve', () => {
  const resolve = tableResolve(table)

  it.each(['one.example', 'ONE.EXAMPLE', 'one.example.'])('knows a name however it is written: %s', async (name) => {
    expect(await resolve(name)).toEqual(['192.0.2.1'])
  })

  it('gives addresses in the order of the table, of the family that is wanted', async () => {
    expect(await resolve('both.example')).toEqual(['2001:db8::1', '192.0.2.2'])
    expect(await resolve('both.example', { family: 4 })).toEqual(['192.0.2.2'])
    expect(await failureOf(resolve('one.example', { family: 6 }))).toEqual(new UnresolvableError('one.example'))
  })

  it.each(['other.example', 'sub.one.example', 'none.example', 'constructor', '__proto__', ''])(
    'does not know a name that has no address there: "%s"',
    async (name) => {
      expect(await failureOf(resolve(name))).toEqual(new UnresolvableError(name))
    }
  )

  it('is not asked about IP addresses', async () => {
    expect(await tableResolve({ '192.0.2.7': '192.0.2.8' })('192.0.2.7')).toEqual(['192.0.2.7'])
    expect(await resolve('2001:DB8::0:1', { family: 6 })).toEqual(['2001:db8::1'])
  })

  it('refuses at once an answer that is no IP address', () => {
    expect(() => tableResolve({ 'one.example': ['192.0.2.1', 'two.example'] })).toThrow(
      new ConfigurationError('one.example is to be two.example, which is not an IP address')
    )
  })

  it('gives up where its signal has aborted', async () => {
    const reason = new Error('enough')
    expect(await failureOf(resolve('one.example', { signal: AbortSignal.abort(reason) }))).toBe(reason)
  })
})

describe('what else tableResolve asks', () => {
  it('is asked for names that are not in the table, as it was asked itself', async () => {
    const otherwise = vi.fn<Resolve>(async () => ['192.0.2.9'])
    const { signal } = new AbortController()
    const resolve = tableResolve(table, { otherwise })
    expect(await resolve('Other.Example.', { family: 4, signal })).toEqual(['192.0.2.9'])
    expect(otherwise.mock.calls).toEqual([['Other.Example.', { family: 4, signal }]])
  })

  it('is not asked for names that are', async () => {
    const otherwise = vi.fn<Resolve>(async () => ['192.0.2.9'])
    const resolve = tableResolve(table, { otherwise })
    expect(await resolve('one.example')).toEqual(['192.0.2.1'])
    expect(await failureOf(resolve('none.example'))).toEqual(new UnresolvableError('none.example'))
    expect(otherwise).not.toHaveBeenCalled()
  })

  it.each([new UnresolvableError('other.example', { cause: 'unknown' }), new RefusedError('not-allowed')])(
    'fails for its own reason: %s',
    async (error) => {
      const resolve = tableResolve(table, { otherwise: () => Promise.reject(error) })
      expect(await failureOf(resolve('other.example'))).toBe(error)
    }
  )

  it('is a failure to resolve, where its reason has no name', async () => {
    const cause = new Error('the disk is full')
    const error = await failureOf(tableResolve(table, { otherwise: () => Promise.reject(cause) })('other.example'))
    expect(error).toEqual(new UnresolvableError('other.example'))
    expect(error).toMatchObject({ cause })
  })

  it('is not trusted: names in its answer are no addresses, and an empty one is a failure', async () => {
    const resolve = tableResolve(table, { otherwise: async (name) => (name === 'a' ? ['localhost'] : []) })
    expect(await failureOf(resolve('a'))).toEqual(new UnresolvableError('a'))
    expect(await failureOf(resolve('b'))).toEqual(new UnresolvableError('b'))
  })

  it('is not waited for once the signal aborts', async () => {
    const owner = new AbortController()
    const resolve = tableResolve(table, { otherwise: () => new Promise(() => {}) })
    const found = failureOf(resolve('other.example', { signal: owner.signal }))
    const reason = new Error('enough')
    owner.abort(reason)
    expect(await found).toBe(reason)
    expect(getEventListeners(owner.signal, 'abort')).toEqual([])
  })
})
