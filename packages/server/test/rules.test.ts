import { describe, expect, it } from 'vitest'
import { parseRule } from '@it-socks/rules'
import { hex } from '@it-socks/testing'
import { connectTo, echo, portBytes, rawClient, start, target, tunnelTo } from './setup.ts'

const notAllowed = hex`05 02 00 01 00000000 0000`

/** What a client hears that asks to go to 127.0.0.1. */
const ask = async (proxy: number, request: Uint8Array): Promise<Uint8Array> => {
  const client = rawClient(proxy)
  client.socket.write(hex`05 01 00 ${request}`)
  await client.hear(2)
  return client.hear(10)
}

describe('the rules of a server', () => {
  it('refuse by reply 0x02, and the event has the rule', async () => {
    const { port } = await target(echo)
    const { port: proxy, until } = await start({ rules: [parseRule(`deny to 127.0.0.0/8 port ${port}`)] })
    expect(await ask(proxy, connectTo(port))).toEqual(notAllowed)
    const { cause, request } = await until('closed')
    expect(request).toMatchObject({ command: 'connect', destination: { host: '127.0.0.1', port } })
    expect(cause).toMatchObject({ name: 'RuleError', rule: `deny to 127.0.0.0/8 port ${port}` })
  })

  it('are asked again when the name is resolved', async () => {
    const { port } = await target(echo)
    const resolve = async () => ['127.0.0.1']
    const { port: proxy, until } = await start({ resolve, rules: [parseRule('deny to 127.0.0.0/8')] })
    const name = hex`05 01 00 03 0b ${'example.com'} ${portBytes(port)}`
    expect(await ask(proxy, name)).toEqual(notAllowed)
    expect((await until('closed')).cause).toMatchObject({ rule: 'deny to 127.0.0.0/8' })
  })

  it('deny what none of them matches, where one allows something', async () => {
    const allowed = await target(echo)
    const other = await target(echo)
    const { port: proxy } = await start({ rules: [parseRule(`allow to 127.0.0.1 port ${allowed.port}`)] })
    await tunnelTo(proxy, allowed.port)
    expect(await ask(proxy, connectTo(other.port))).toEqual(notAllowed)
  })

  it('allow what none of them matches, where all of them deny', async () => {
    const { port } = await target(echo)
    const { port: proxy, until } = await start({ rules: [parseRule('deny to 192.0.2.0/24')] })
    await tunnelTo(proxy, port)
    expect(await until('established')).toMatchObject({ request: { destination: { port } } })
  })

  it.each(['127.0.0.1', '0.0.0.0'])('keep the proxy from connecting to itself, listening on %s', async (host) => {
    const { port, until } = await start({ listen: { host, port: 0 }, allowAnonymous: true, allowPrivate: true })
    expect(await ask(port, connectTo(port))).toEqual(notAllowed)
    expect((await until('closed')).cause).toMatchObject({ name: 'RuleError' })
    expect(await ask(port, hex`05 01 00 01 00000000 ${portBytes(port)}`)).toEqual(notAllowed)
  })
})
