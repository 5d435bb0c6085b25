import { describe, expect, it } from 'vitest'
import { DeadlineError, ProxyClosedError, ProxyUnreachableError, UnresolvableError } from '@it-socks/protocol'
import { resolveThrough, reverseThrough } from '@it-socks/client'
import { client, server, type Line } from '@it-socks/testing'
import { scriptedProxy } from './scripted-proxy.ts'

const greeted = [client`05 01 00`, server`05 00`]
const question = client`05 f0 00 03 0b ${'example.com'} 0000`
const reverseQuestion = client`05 f1 00 01 c0000209 0000`

/** A proxy that is asked `line` and answers `reply`. */
const answering = (line: Line, ...reply: Line[]) => scriptedProxy([...greeted, line, ...reply])

describe('resolveThrough', () => {
  it('asks the proxy, and hangs up without a reset', async () => {
    const proxy = await answering(question, server`05 00 00 01 c0000209 0000`)
    expect(await resolveThrough({ proxy: proxy.url })('example.com')).toEqual(['192.0.2.9'])
    await proxy.gone
    expect(proxy.resets()).toBe(0)
  })

  it('takes an IPv6 address, and looks at the family that was asked for', async () => {
    const v6 = server`05 00 00 04 20010db8000000000000000000000009 0000`
    const resolve = async (family: 4 | 6) => {
      const { url } = await answering(question, v6)
      return resolveThrough({ proxy: url })('example.com', { family })
    }
    expect(await resolve(6)).toEqual(['2001:db8::9'])
    await expect(resolve(4)).rejects.toThrow(UnresolvableError)
  })

  it('answers for an address without asking anybody', async () => {
    const { url, clients } = await scriptedProxy([])
    const resolve = resolveThrough({ proxy: url })
    expect(await resolve('192.0.2.1')).toEqual(['192.0.2.1'])
    await expect(resolve('192.0.2.1', { family: 6 })).rejects.toMatchObject({ reply: 'address-type-not-supported' })
    expect(clients()).toBe(0)
  })

  it.each([
    { what: 'says that there is none', reply: server`05 04 00 01 00000000 0000` },
    { what: 'answers with a name', reply: server`05 00 00 03 01 ${'x'} 0000` }
  ])('cannot resolve what the proxy $what for', async ({ reply }) => {
    const proxy = await answering(question, reply)
    await expect(resolveThrough({ proxy: proxy.url })('example.com')).rejects.toThrow(UnresolvableError)
    await proxy.gone
  })

  it('tells by name what else may fail', async () => {
    const cannot = await answering(question, server`05 07 00 01 00000000 0000`)
    await expect(resolveThrough({ proxy: cannot.url })('example.com')).rejects.toMatchObject({
      name: 'RefusedError',
      reply: 'command-not-supported'
    })
    const closing = await scriptedProxy([...greeted, question], { finally: 'end' })
    await expect(resolveThrough({ proxy: closing.url })('example.com')).rejects.toThrow(ProxyClosedError)
    const silent = await answering(question)
    const late = resolveThrough({ proxy: silent.url, timeout: 20 })('example.com')
    await expect(late).rejects.toThrow(DeadlineError)
    await Promise.all([cannot.gone, closing.gone, silent.gone])
    await expect(resolveThrough({ proxy: 'socks5h://127.0.0.1:1' })('example.com')).rejects.toThrow(
      ProxyUnreachableError
    )
  })

  it('gives up with the signal, and leaves nothing open', async () => {
    const proxy = await answering(question)
    const owner = new AbortController()
    const reason = new Error('changed my mind')
    const resolving = resolveThrough({ proxy: proxy.url })('example.com', { signal: owner.signal })
    void proxy.played.then(() => owner.abort(reason))
    await expect(resolving).rejects.toBe(reason)
    await proxy.gone
  })
})

describe('reverseThrough', () => {
  it('asks the proxy for the name of an address', async () => {
    const proxy = await answering(reverseQuestion, server`05 00 00 03 0b ${'example.com'} 0000`)
    expect(await reverseThrough({ proxy: proxy.url })('192.0.2.9')).toBe('example.com')
    await proxy.gone
  })

  it.each([
    { what: 'says that there is none', reply: server`05 04 00 01 00000000 0000` },
    { what: 'answers with an address', reply: server`05 00 00 01 c0000209 0000` }
  ])('has no name where the proxy $what', async ({ reply }) => {
    const proxy = await answering(reverseQuestion, reply)
    await expect(reverseThrough({ proxy: proxy.url })('192.0.2.9')).rejects.toThrow(UnresolvableError)
    await proxy.gone
  })
})
