import { describe, expect, it } from 'vitest'
import { ProxyClosedError, TruncatedError, type RefusalName } from '@it-socks/protocol'
import { login, none } from '@it-socks/auth'
import { accepted, ask } from '@it-socks/command'
import { frames, handshake, observe, pipe, type ByteDuplex, type Granted } from '@it-socks/stage'
import { client, play, server, type Line } from '@it-socks/testing'

const asking = [client`05 01 00`, server`05 00`, client`05 02 00 01 c0000209 0014`, server`05 00 00 01 c0000201 0fa0`]
const bind = ask({ command: 'bind', destination: { host: '192.0.2.9', port: 20 } })

const enter = async (duplex: ByteDuplex) => {
  const bound: string[] = []
  const look = observe<Granted>(({ bound: { host, port } }) => bound.push(`${host} ${port}`))
  const established = await pipe(
    duplex,
    frames(),
    login([none()]),
    bind,
    look,
    accepted(),
    look,
    handshake(duplex, { linger: 0 })
  )
  return { bound, ...established }
}

/** Plays the proxy to a client of BIND, from the second reply on; what comes of it is what was `bound` by and by. */
const wait = (...script: Line[]) =>
  play({ script: [...asking, ...script], testing: 'client', run: async (duplex) => (await enter(duplex)).bound })

describe('accepted', () => {
  it.each([
    { type: 'IPv4', line: server`05 00 00 01 c0000209 0014`, peer: '192.0.2.9 20' },
    { type: 'IPv6', line: server`05 00 00 04 20010db8000000000000000000000009 0014`, peer: '2001:db8::9 20' }
  ])('says who connected: $type', async ({ line, peer }) => {
    expect(await wait(line)).toEqual(['192.0.2.1 4000', peer])
  })

  it('keeps what the peer says first, glued to the reply', async () => {
    const run = async (duplex: ByteDuplex) => {
      const { duplex: tunnel } = await enter(duplex)
      let text = ''
      for await (const bytes of tunnel.source) text += new TextDecoder().decode(bytes.subarray())
      return text
    }
    const script = [...asking, server`05 00 00 01 c0000209 0014 ${'220 ready'}`, server`${'\r\n'}`]
    expect(await play({ script, testing: 'client', run })).toBe('220 ready\r\n')
  })

  it('can be a pipeline of its own, on what the first one left', async () => {
    const run = async (duplex: ByteDuplex) => {
      const steps = [frames(), login([none()]), bind] as const
      const first = await pipe(duplex, ...steps, handshake(duplex))
      const second = await pipe(first.duplex, frames(), accepted(), handshake(first.duplex))
      return [first.context.bound.port, second.context.bound.port]
    }
    const script = [...asking, server`05 00 00 01 c0000209 0014`]
    expect(await play({ script, testing: 'client', run })).toEqual([4000, 20])
  })

  it.each<[number, RefusalName]>([
    [1, 'general-failure'],
    [2, 'not-allowed'],
    [6, 'ttl-expired']
  ])('tells why nobody came: REP %d is %s', async (rep, reply) => {
    const refused = wait(server`05 ${Uint8Array.of(rep)} 00 01 00000000 0000`)
    await expect(refused).rejects.toMatchObject({ name: 'RefusedError', reply })
  })

  it('takes a refusal for one even if it is cut short', async () => {
    await expect(wait(server`05 06`)).rejects.toMatchObject({ reply: 'ttl-expired', cause: expect.any(TruncatedError) })
  })

  it('names a proxy that hangs up while it waits', async () => {
    await expect(wait()).rejects.toThrow(ProxyClosedError)
  })

  it('takes no part of a success for one', async () => {
    const whole = server`05 00 00 01 c0000209 0014`.bytes
    for (let length = 1; length < whole.length; length++) {
      await expect(wait(server`${whole.slice(0, length)}`)).rejects.toThrow(TruncatedError)
    }
  })
})
