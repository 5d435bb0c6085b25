import { describe, expect, it, vi } from 'vitest'
import { RefusedError, RuleError, UnresolvableError, type Address } from '@it-socks/protocol'
import { bind } from '@it-socks/command'
import type { Permit, Resolve } from '@it-socks/stage'
import { client, memoryBinder, play, server, type Line, type MemoryBinder } from '@it-socks/testing'
import { ending, serveBind } from './binding.ts'

const greeted = [client`05 01 00`, server`05 00`]
const listening = server`05 00 00 01 c0000201 0fa0`
const named = client`05 02 00 03 0b ${'example.com'} 0014`

interface Scene {
  /** Who connects, in this order. */
  from: readonly Address[]
  resolve?: Resolve
  permit?: Permit
}

/** Plays the client to BIND, while peers connect; what comes of it is who was taken, and how it ended for the others. */
const meet = (script: readonly Line[], { from, resolve, permit }: Scene) =>
  play({
    script: [...greeted, ...script],
    testing: 'server',
    stays: true,
    run: async (duplex) => {
      const memory = memoryBinder()
      const peers = Promise.all(from.map((address) => memory.connect(address)))
      const { context } = await serveBind(duplex, bind(memory.binder, resolve && { resolve }), { permit })
      const others = (await peers).filter(({ localAddress: at }) => at !== context.tunnel.remoteAddress)
      return { taken: context.tunnel.remoteAddress, others: await Promise.all(others.map(ending)), ...open(memory) }
    }
  })

const open = ({ asked, listening }: MemoryBinder) => ({ listening: listening(), peer: asked[0]?.peer })

/** Plays the client to a BIND that is refused before anything listens. */
const refuse = (script: readonly Line[], { resolve, permit }: Omit<Scene, 'from'>) =>
  play({
    script: [...greeted, ...script],
    testing: 'server',
    run: async (duplex) => {
      const binder = () => Promise.reject(new Error('nothing may listen'))
      await serveBind(duplex, bind(binder, resolve && { resolve }), { permit })
    }
  })

const expected = { host: '192.0.2.9', port: 20 }
const stranger = { host: '198.51.100.1', port: 20 }
const reset = expect.objectContaining({ message: 'the peer reset the connection' })

describe('an unexpected peer', () => {
  it('is reset, and the waiting goes on: a stranger cannot spoil it', async () => {
    const script = [client`05 02 00 01 c0000209 0014`, listening, server`05 00 00 01 c0000209 0014`]
    expect(await meet(script, { from: [stranger, stranger, expected] })).toEqual({
      taken: expected,
      others: [reset, reset],
      listening: 0,
      peer: '192.0.2.9'
    })
  })

  it('is whoever comes second: one connection only', async () => {
    const script = [client`05 02 00 01 c0000209 0014`, listening, server`05 00 00 01 c0000209 0014`]
    const second = { host: '192.0.2.9', port: 21 }
    expect(await meet(script, { from: [expected, second] })).toMatchObject({ taken: expected, others: [reset] })
  })
})

describe('who is expected', () => {
  it.each([
    { dst: '0.0.0.0', line: client`05 02 00 01 00000000 0000` },
    { dst: '::', line: client`05 02 00 04 00000000000000000000000000000000 0000` },
    { dst: '::ffff:0.0.0.0', line: client`05 02 00 04 00000000000000000000ffff00000000 0000` },
    { dst: 'the name 0', line: client`05 02 00 03 01 ${'0'} 0000` },
    { dst: 'the name 0.0.0.0', line: client`05 02 00 03 07 ${'0.0.0.0'} 0000` }
  ])('is anybody for $dst', async ({ line }) => {
    const script = [line, listening, server`05 00 00 01 c6336401 0014`]
    const met = await meet(script, { from: [stranger] })
    expect(met).toEqual({ taken: stranger, others: [], listening: 0, peer: undefined })
  })

  it.each([
    { dst: '::ffff:192.0.2.9', line: client`05 02 00 04 00000000000000000000ffffc0000209 0000`, host: '192.0.2.9' },
    { dst: '192.0.2.9', line: client`05 02 00 01 c0000209 0000`, host: '::ffff:192.0.2.9' },
    { dst: 'fe80::9', line: client`05 02 00 04 fe800000000000000000000000000009 0000`, host: 'fe80::9%eth0' }
  ])('is one place, however it is spelled: $dst and $host', async ({ line, host }) => {
    const rest = host.startsWith('fe80')
      ? server`05 00 00 04 fe800000000000000000000000000009 0014`
      : host.startsWith('::')
        ? server`05 00 00 04 00000000000000000000ffffc0000209 0014`
        : server`05 00 00 01 c0000209 0014`
    expect(await meet([line, listening, rest], { from: [{ host, port: 20 }] })).toMatchObject({ taken: { host } })
  })

  it('is every address of a domain, and the socket is one that suits the client’s own family', async () => {
    const resolve: Resolve = async () => ['2001:db8::9', '192.0.2.8', '192.0.2.9']
    const met = await meet([named, listening, server`05 00 00 01 c0000209 0014`], {
      from: [stranger, expected],
      resolve
    })
    expect(met).toEqual({ taken: expected, others: [reset], listening: 0, peer: '192.0.2.8' })
  })

  it('is nobody where the domain has no address', async () => {
    const error = new UnresolvableError('example.com')
    const refusal = server`05 04 00 01 00000000 0000`
    const resolve = (): Promise<never> => Promise.reject(error)
    await expect(refuse([named, refusal], { resolve })).rejects.toBe(error)
    await expect(refuse([named, refusal], { resolve: async () => [] })).rejects.toThrow(UnresolvableError)
    await expect(refuse([named, refusal], { resolve: async () => ['example.net'] })).rejects.toThrow(UnresolvableError)
  })

  it('is nobody where nobody resolves domains', async () => {
    await expect(refuse([named, server`05 04 00 01 00000000 0000`], {})).rejects.toThrow(UnresolvableError)
  })
})

describe('bind under rules', () => {
  const resolve: Resolve = async () => ['192.0.2.8', '192.0.2.9']
  const second = server`05 00 00 01 c0000209 0014`

  /** Refuses these addresses. */
  const except = (...hosts: string[]) =>
    vi.fn<Permit>((address) => {
      if (hosts.includes(address.host)) throw new RuleError('a rule', address.host)
    })

  it('listens for nobody where none of those that are expected is permitted', async () => {
    const permit = except('192.0.2.8', '192.0.2.9')
    const refused = refuse([named, server`05 02 00 01 00000000 0000`], { resolve, permit })
    await expect(refused).rejects.toMatchObject({ name: 'RuleError', message: '192.0.2.8 is not allowed: a rule' })
    expect(permit.mock.calls.slice(0, 2)).toEqual([
      [{ host: '192.0.2.8', port: 20 }, 'example.com'],
      [{ host: '192.0.2.9', port: 20 }, 'example.com']
    ])
  })

  it('expects only those that are permitted', async () => {
    const from = [{ host: '192.0.2.8', port: 20 }, expected]
    const met = await meet([named, listening, second], { from, resolve, permit: except('192.0.2.8') })
    expect(met).toEqual({ taken: expected, others: [reset], listening: 0, peer: '192.0.2.9' })
  })

  it('judges whoever connects where anybody is expected', async () => {
    const permit = except(stranger.host)
    const script = [client`05 02 00 01 00000000 0000`, listening, second]
    expect(await meet(script, { from: [stranger, expected], permit })).toMatchObject({
      taken: expected,
      others: [reset]
    })
    expect(permit.mock.calls.slice(0, 2)).toEqual([
      [stranger, undefined],
      [expected, undefined]
    ])
  })

  it('judges the peer by the port that it connects from', async () => {
    const permit: Permit = ({ port }) => {
      if (port > 1023) throw new RefusedError('not-allowed')
    }
    const from = [{ host: '192.0.2.9', port: 50_000 }, expected]
    const script = [client`05 02 00 01 c0000209 0014`, listening, second]
    expect(await meet(script, { from, permit })).toMatchObject({ taken: expected, others: [reset] })
  })
})
