import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { systemReverse } from '@it-socks/net'
import { UnresolvableError } from '@it-socks/protocol'
import { failureOf } from '../../../../test/support/duplex.ts'

const reverse = systemReverse()

describe('systemReverse', () => {
  it('finds the name that the system knows', async () => {
    expect(await reverse('127.0.0.1')).toMatch(/^localhost/)
  })

  it('says of an address without a name that it has none, and keeps the system’s error', async () => {
    const error = await failureOf(reverse('192.0.2.1'))
    expect(error).toBeInstanceOf(UnresolvableError)
    expect(error).toMatchObject({
      message: '192.0.2.1 cannot be resolved',
      cause: { syscall: 'getnameinfo', code: expect.stringMatching(/^(?:ENOTFOUND|EAI_AGAIN)$/) }
    })
  })

  it.each(['localhost', '', '127.1'])('finds nothing for what is not an address: "%s"', async (host) => {
    expect(await failureOf(reverse(host))).toEqual(new UnresolvableError(host))
  })

  it.each(['before', 'while'])('gives up with the signal’s reason, %s it looks', async (when) => {
    const owner = new AbortController()
    const reason = new Error('nobody wants to know any more')
    if (when === 'before') owner.abort(reason)
    const found = failureOf(reverse('127.0.0.1', { signal: owner.signal }))
    owner.abort(reason)
    expect(await found).toBe(reason)
    expect(getEventListeners(owner.signal, 'abort')).toEqual([])
  })
})
