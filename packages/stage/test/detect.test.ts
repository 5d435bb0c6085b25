import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { TruncatedError, VersionError, greeting, type Message } from '@it-socks/protocol'
import { authenticate, none } from '@it-socks/auth'
import { request } from '@it-socks/command'
import { socks4 } from '@it-socks/socks4'
import { compose, deadline, detect, frames, handshake, pipe, readFrames, stage, type Bytes } from '@it-socks/stage'
import { client, duplexPair, hex, play, server, type Line } from '@it-socks/testing'
import { chunks, failureOf, handoff, run, steps } from './steps.ts'

/** Reads its message, answers with its name, and refuses with it from there on. */
const speaking = (name: string, message: Message<unknown>) =>
  stage<unknown, { spoken: string }>(async function* ({ frames }) {
    await frames.read(message)
    yield hex`${name}`
    return { spoken: name, refuse: () => hex`${`not ${name}`}` }
  })

/** A message of three bytes, the first of which is its protocol. */
const threeBytes: Message<unknown> = {
  name: 'three bytes',
  decode: (parts) => parts.take({ name: 'THREE', length: 3, meaning: String }),
  encode: () => new Uint8Array(3)
}

const either = detect({ 5: speaking('five', greeting), 4: speaking('four', threeBytes) })

const serve = (script: readonly Line[]) =>
  play({
    script,
    testing: 'server',
    run: async (duplex) => (await pipe(duplex, frames(), either, handshake(duplex))).context.spoken
  })

/** A source from which nothing comes, and that counts who asks. */
const silent = () => {
  const state = { asked: 0 }
  const source: AsyncIterable<Bytes> = {
    [Symbol.asyncIterator]: () => ({
      next() {
        state.asked++
        return new Promise(() => {})
      }
    })
  }
  return { state, source }
}

describe('detect', () => {
  it('goes on with the stage of the first byte, which it leaves to that stage', async () => {
    expect(await serve([client`05 01 00`, server`${'five'}`])).toBe('five')
    expect(await serve([client`04 05 05`, server`${'four'}`])).toBe('four')
  })

  it('refuses as that stage does', async () => {
    const failing = stage<unknown, {}>(async function* () {
      throw new Error('no more')
    })
    const served = play({
      script: [client`04 00 00`, server`${'four'}`, server`${'not four'}`],
      testing: 'server',
      run: (duplex) => pipe(duplex, frames(), either, failing, handshake(duplex))
    })
    await expect(served).rejects.toThrow('no more')
  })

  it('leaves what comes behind to the stages after it, to the byte', async () => {
    const rest = await play({
      script: [client`05 01 00`, server`${'five'}`, client`${'early'}`],
      testing: 'server',
      run: async (duplex) => {
        const { duplex: end } = await pipe(duplex, frames(), either, handshake(duplex))
        let text = ''
        for await (const bytes of end.source) text += new TextDecoder().decode(bytes.subarray())
        await end.sink((async function* () {})())
        return text
      }
    })
    expect(rest).toBe('early')
  })

  it('says nothing to a client of neither, and names what it could have spoken', async () => {
    const error = await failureOf(serve([client`${'GET / HTTP/1.1'}`]))
    expect(error).toBeInstanceOf(VersionError)
    expect(error).toHaveProperty('message', expect.stringMatching(/^VER must be 0x04 or 0x05, received 0x47 \("G"/))
    await expect(serve([client`03`])).rejects.toThrow('VER must be 0x04 or 0x05, received 0x03')
    await expect(serve([client`00 05 01 00`])).rejects.toThrow(VersionError)
  })

  it('says nothing to a client that leaves without a word', async () => {
    await expect(serve([])).rejects.toThrow(TruncatedError)
    await expect(serve([])).rejects.toMatchObject({ received: 0 })
  })

  it('leaves a message that is cut short to its stage', async () => {
    await expect(serve([client`05 02`])).rejects.toThrow('the greeting ended after 2 bytes, in METHODS')
    await expect(serve([client`04`])).rejects.toThrow('the three bytes ended after 1 bytes, in THREE')
  })

  it('passes on what was said before, and hands over the context that it was given', async () => {
    const given = handoff({ frames: readFrames(chunks(hex`05 01 00`)), context: { before: 0 } })
    const { said, handoff: end } = await run(either(steps(hex`00`, given)))
    expect(said).toEqual(['00', '66 69 76 65'])
    expect(end?.context).toEqual({ before: 0, spoken: 'five' })
  })

  it('can be composed, put under a deadline, and be one of the protocols itself', async () => {
    const nested = detect({
      0x43: either,
      5: deadline(
        'greeting',
        1000,
        compose(
          either,
          stage(async function* () {
            return { after: 1 }
          })
        )
      )
    })
    const { handoff: end } = await run(nested(steps(handoff({ frames: readFrames(chunks(hex`05 01 00`)) }))))
    expect(end?.context).toEqual({ spoken: 'five', after: 1 })
  })

  it('stops waiting for the first byte where the signal aborts, says nothing, and leaves no listener', async () => {
    const { state, source } = silent()
    const owner = new AbortController()
    const outcome = run(either(steps(handoff({ frames: readFrames(source), signal: owner.signal }))))
    await new Promise((resolve) => setImmediate(resolve))
    expect(state.asked).toBe(1)
    const reason = new Error('the server is closing')
    owner.abort(reason)
    expect(await outcome).toEqual({ said: [], error: reason })
    expect(getEventListeners(owner.signal, 'abort')).toEqual([])
  })

  it('throws what breaks the connection before the first byte', async () => {
    const [near, far] = duplexPair()
    const served = failureOf(pipe(near, frames(), either, handshake(near)))
    far.abort(new Error('gone'))
    expect(await served).toHaveProperty('message', 'the peer reset the connection')
  })
})

describe('detect, between the versions of SOCKS', () => {
  const asked = (script: readonly Line[]) =>
    play({
      script,
      testing: 'server',
      run: async (duplex) => {
        const negotiate = detect({ 5: compose(authenticate([none()]), request()), 4: socks4() })
        const { context } = await pipe(duplex, frames(), negotiate, handshake(duplex))
        return [context.identity.method, context.request]
      }
    })
  const wanted = { command: 'connect', destination: { host: '192.0.2.1', port: 80 } }

  it('comes to the same request by either', async () => {
    const socks5 = [client`05 01 00`, server`05 00`, client`05 01 00 01 c0000201 0050`]
    expect(await asked(socks5)).toEqual(['none', wanted])
    expect(await asked([client`04 01 0050 c0000201 00`])).toEqual(['socks4', wanted])
  })
})
