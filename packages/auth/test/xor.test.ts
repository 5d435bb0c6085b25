import { describe, expect, it } from 'vitest'
import { CommandError, VersionError, message, octet } from '@it-socks/protocol'
import { authenticate, login, none, type AuthMethod } from '@it-socks/auth'
import { ask, command, connect, request } from '@it-socks/command'
import { relay } from '@it-socks/relay'
import { frames, handshake, pipe, type ByteDuplex, type Bytes, type Seal } from '@it-socks/stage'
import { client, duplexPair, hex, play, server, toHex, type Line } from '@it-socks/testing'

/** A toy cipher, and a stateful one: each byte is xored with the key plus how many bytes went before it. */
const cipher = (key: number): ((bytes: Bytes) => Uint8Array) => {
  let position = 0
  return (bytes) => bytes.subarray().map((byte) => byte ^ (key + position++))
}

const ciphered = async function* (source: AsyncIterable<Bytes>, key: number): AsyncGenerator<Bytes> {
  const decipher = cipher(key)
  for await (const bytes of source) yield decipher(bytes)
}

/** The sub-negotiation: one byte each way, the key for what that side says from here on. */
const keyMessage = message<{ key: number }>('key', [['key', octet('KEY')]])

/** A private method (RFC 1928 section 3) that wraps everything after it in both directions. */
const xor = (own: number): AuthMethod<{ method: 'xor' }> => ({
  id: 0x80,
  name: 'xor',
  async *server({ frames }) {
    const { key } = await frames.read(keyMessage)
    yield keyMessage.encode({ key: own })
    return { identity: { method: 'xor' }, ...wrapped(frames, key, cipher(own)) }
  },
  async *client({ frames }) {
    yield keyMessage.encode({ key: own })
    const { key } = await frames.read(keyMessage)
    return wrapped(frames, key, cipher(own))
  }
})

const wrapped = (reader: Parameters<AuthMethod['server']>[0]['frames'], theirs: number, seal: Seal) => ({
  frames: reader.through((rest) => ciphered(rest, theirs)),
  seal
})

/** The same conversation for both sides: they greet, tell their keys, and from there on all is enciphered. */
const clientKey = 0x11
const serverKey = 0xa0
const greeted = [client`05 01 80`, server`05 80`, client`11`, server`a0`]

const conversation = (): Line[] => {
  const up = cipher(clientKey)
  const down = cipher(serverKey)
  return [
    ...greeted,
    client`${up(hex`05 01 00 01 c0000209 0050`)}`,
    server`${down(hex`05 00 00 01 c0000201 0001`)}`,
    client`${up(hex`${'knock knock'}`)}`,
    server`${down(hex`${'KNOCK KNOCK'}`)}`
  ]
}

/** A tunnel to a target that shouts back what it hears, and what that was. */
const shoutingTarget = () => {
  const heard: string[] = []
  const [tunnel, target] = duplexPair()
  const shouts = async function* (): AsyncGenerator<Uint8Array> {
    for await (const bytes of target.source) {
      const text = new TextDecoder().decode(bytes.subarray())
      heard.push(text)
      yield hex`${text.toUpperCase()}`
    }
  }
  return { tunnel, shouted: target.sink(shouts()), heard }
}

const proxy = async (duplex: ByteDuplex) => {
  const { tunnel, shouted, heard } = shoutingTarget()
  const handlers = { connect: connect(async () => tunnel) }
  const relayed = pipe(duplex, frames(), authenticate([xor(serverKey)]), request(), command(handlers), relay(duplex))
  const traffic = await relayed
  await shouted
  return { traffic, heard: heard.join('') }
}

const enter = (duplex: ByteDuplex) => {
  const destination = { host: '192.0.2.9', port: 80 }
  const asking = ask({ command: 'connect', destination })
  return pipe(duplex, frames(), login([xor(clientKey)]), asking, handshake(duplex))
}

const textOf = async (source: AsyncIterable<Bytes>): Promise<string> => {
  const decoder = new TextDecoder()
  let text = ''
  for await (const bytes of source) text += decoder.decode(bytes.subarray(), { stream: true })
  return text
}

describe('a method of one’s own that wraps everything after it', () => {
  it('enciphers request, reply and data on the wire', () => {
    const wire = (from: Line['from']): string =>
      conversation()
        .filter((line) => line.from === from)
        .map(({ bytes }) => toHex(bytes))
        .join(' | ')
    expect(wire('client')).toBe('05 01 80 | 11 | 14 13 13 15 d5 16 15 11 19 4a | 70 72 72 7d 74 00 4a 4c 4c 47 4e')
    expect(wire('server')).toBe('05 80 | a0 | a5 a1 a2 a2 64 a5 a4 a6 a8 a8 | e1 e5 e3 ee e5 8f fb ff fd f0 ff')
  })

  it('serves: deciphers request and data, enciphers reply and data', async () => {
    const served = await play({ script: conversation(), testing: 'server', run: proxy })
    expect(served).toEqual({ traffic: { up: 11, down: 11 }, heard: 'knock knock' })
  })

  it('asks: enciphers request and data, deciphers reply and data', async () => {
    const run = async (duplex: ByteDuplex) => {
      const { duplex: tunnel, context } = await enter(duplex)
      const said = (async function* () {
        yield hex`${'knock '}`
        yield hex`${'knock'}`
      })()
      const [answer] = await Promise.all([textOf(tunnel.source), tunnel.sink(said)])
      return { answer, bound: context.bound }
    }
    expect(await play({ script: conversation(), testing: 'client', run })).toEqual({
      answer: 'KNOCK KNOCK',
      bound: { host: '192.0.2.1', port: 1 }
    })
  })

  it('enciphers refusals too', async () => {
    const script = [
      ...greeted,
      client`${cipher(clientKey)(hex`05 09`)}`,
      server`${cipher(serverKey)(hex`05 07 00 01 00000000 0000`)}`
    ]
    await expect(play({ script, testing: 'server', run: proxy })).rejects.toThrow(CommandError)
  })

  it('does not understand a client that stays in the clear', async () => {
    const reply = server`${cipher(serverKey)(hex`05 01 00 01 00000000 0000`)}`
    const script = [...greeted, client`05 01 00 01 c0000209 0050`, reply]
    await expect(play({ script, testing: 'server', run: proxy })).rejects.toThrow(VersionError)
  })

  it('leaves clients of other methods in the clear', async () => {
    const run = (duplex: ByteDuplex) =>
      pipe(duplex, frames(), authenticate([xor(serverKey), none()]), request(), handshake(duplex)).then(
        ({ context }) => context.identity
      )
    const script = [client`05 01 00`, server`05 00`, client`05 01 00 01 c0000209 0050`]
    expect(await play({ script, testing: 'server', run })).toEqual({ method: 'none' })
  })

  it('carries a conversation between its two sides', async () => {
    const [near, far] = duplexPair()
    const served = proxy(far)
    const { duplex } = await enter(near)
    const said = (async function* () {
      yield hex`${'anybody?'}`
    })()
    const [answer] = await Promise.all([textOf(duplex.source), duplex.sink(said)])
    expect(answer).toBe('ANYBODY?')
    expect(await served).toEqual({ traffic: { up: 8, down: 8 }, heard: 'anybody?' })
  })
})
