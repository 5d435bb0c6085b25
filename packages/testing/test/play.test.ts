import { setImmediate as quiet } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Bytes, ByteDuplex } from '@it-socks/stage'
import { client, cutAt, everyChunking, hex, play, playOnce, ScriptError, server, toHex } from '@it-socks/testing'

/** Reads `length` bytes, whatever their chunks; what comes glued to them is dropped. */
const hear = async (reader: AsyncIterator<Bytes>, length: number): Promise<string> => {
  let heard = new Uint8Array()
  while (heard.length < length) {
    const { done, value } = await reader.next()
    if (done === true) break
    heard = hex`${heard} ${value.subarray()}`.slice()
  }
  return toHex(heard.subarray(0, length))
}

/** Reads `length` bytes, then says these chunks. */
const answering =
  (length: number, ...chunks: Uint8Array[]) =>
  async (duplex: ByteDuplex): Promise<string> => {
    const heard = await hear(duplex.source[Symbol.asyncIterator](), length)
    await duplex.sink(
      (async function* () {
        yield* chunks
      })()
    )
    return heard
  }

const script = [client`01 02`, server`03 04`]

describe('play', () => {
  it('comes to what the code under test comes to', async () => {
    expect(await play({ script, testing: 'server', run: answering(2, hex`03 04`) })).toBe('01 02')
  })

  it('does not mind how the code under test cuts what it says', async () => {
    expect(await play({ script, testing: 'server', run: answering(2, hex`03`, hex`04`) })).toBe('01 02')
  })

  it('plays the server to a client', async () => {
    const run = async (duplex: ByteDuplex): Promise<string> => {
      const heard = hear(duplex.source[Symbol.asyncIterator](), 2)
      await duplex.sink(
        (async function* () {
          yield hex`01 02`
        })()
      )
      return heard
    }
    expect(await play({ script, testing: 'client', run })).toBe('03 04')
  })

  it('runs once under each chunking', async () => {
    let runs = 0
    const run = (duplex: ByteDuplex): Promise<string> => {
      runs++
      return answering(2, hex`03 04`)(duplex)
    }
    await play({ script, testing: 'server', run })
    expect(runs).toBe(everyChunking(2).length)
  })

  it('half-closes after its last line', async () => {
    const run = (duplex: ByteDuplex): Promise<string> => answering(10)(duplex)
    expect(await play({ script: [client`01 02`], testing: 'server', run })).toBe('01 02')
  })

  it.each([
    { stays: false, ends: 'with its last line' },
    { stays: true, ends: 'with the last line of the code under test' }
  ])('half-closes $ends where its lines are glued, and it stays: $stays', async ({ stays }) => {
    const run = async (duplex: ByteDuplex) => {
      const reader = duplex.source[Symbol.asyncIterator]()
      let ended = false
      const end = (async () => {
        while ((await reader.next()).done !== true);
        ended = true
      })()
      await quiet()
      const early = ended
      await duplex.sink(
        (async function* () {
          yield hex`03 04`
        })()
      )
      await end
      return early
    }
    const glued = { name: 'glued', glued: true, cutBefore: () => false }
    expect(await playOnce({ script, testing: 'server', stays, run }, glued)).toBe(!stays)
  })

  it('does not stay for code that says less than the script has for it', async () => {
    const outcome = play({ script, testing: 'server', stays: true, run: answering(2, hex`03`) })
    await expect(outcome).rejects.toThrow(ScriptError)
  })

  it('waits for the code under test to say its line before it says the next', async () => {
    const run = async (duplex: ByteDuplex): Promise<string> => {
      const reader = duplex.source[Symbol.asyncIterator]()
      await reader.next()
      let early = false
      let said = false
      const next = reader.next().then(({ value }) => {
        early = !said
        return toHex(value.subarray())
      })
      await quiet()
      await duplex.sink(
        (async function* () {
          said = true
          yield hex`bb`
        })()
      )
      return `${await next}${early ? ', early' : ''}`
    }
    const script = [client`aa`, server`bb`, client`cc`]
    expect(await playOnce({ script, testing: 'server', run }, cutAt())).toBe('cc')
  })

  it.each([
    ['wrong', [hex`03 05`], '03 05'],
    ['surplus', [hex`03 04`, hex`05`], '03 04 05'],
    ['missing', [hex`03`], '03'],
    ['no', [], '']
  ])('finds %s bytes, and shows both', async (_, said, received) => {
    const outcome = play({ script, testing: 'server', run: answering(2, ...said) })
    await expect(outcome).rejects.toThrow(new ScriptError(`line by line:\n  expected 03 04\n  received ${received}`))
  })

  it('finds bytes where the script has none', async () => {
    const outcome = play({ script: [client`01`], testing: 'server', run: answering(1, hex`02`) })
    await expect(outcome).rejects.toThrow(new ScriptError('line by line:\n  expected \n  received 02'))
  })

  it('throws what the code under test throws, where it keeps to the script until then', async () => {
    const run = async (duplex: ByteDuplex): Promise<never> => {
      await answering(2, hex`03 04`)(duplex)
      throw new RangeError('out of range')
    }
    await expect(play({ script, testing: 'server', run })).rejects.toThrow(new RangeError('out of range'))
  })

  it('tells why the code under test left the script, where it threw', async () => {
    const reason = new RangeError('out of range')
    const run = (): Promise<never> => Promise.reject(reason)
    const outcome = play({ script, testing: 'server', run })
    await expect(outcome).rejects.toThrow('and it threw RangeError: out of range')
    await expect(outcome).rejects.toMatchObject({ name: 'ScriptError', cause: reason })
  })
})

describe('an outcome that depends on the chunking', () => {
  /** Takes the first chunk for all there is: the mistake that chunkings are for. */
  const firstChunk = async (duplex: ByteDuplex): Promise<number> => {
    const { value } = await duplex.source[Symbol.asyncIterator]().next()
    return value.byteLength
  }

  it('is found in what comes of it', async () => {
    const outcome = play({ script: [client`01 02 03`], testing: 'server', run: firstChunk })
    const message = 'the outcome depends on the chunking:\n  line by line: came to 3\n  byte by byte: came to 1'
    await expect(outcome).rejects.toThrow(new ScriptError(message))
  })

  it('is found in errors', async () => {
    const run = async (duplex: ByteDuplex): Promise<void> => {
      if ((await firstChunk(duplex)) < 3) throw new RangeError('too short')
    }
    const outcome = play({ script: [client`01 02 03`], testing: 'server', run })
    await expect(outcome).rejects.toThrow('byte by byte: threw RangeError: too short')
  })

  it('is found where only a glued line gives it away', async () => {
    const outcome = play({ script: [client`01`, client`02`], testing: 'server', run: firstChunk })
    await expect(outcome).rejects.toThrow('glued: came to 2')
  })

  it('is found in what is said', async () => {
    const run = async (duplex: ByteDuplex): Promise<void> => {
      const length = await firstChunk(duplex)
      await duplex.sink(
        (async function* () {
          yield Uint8Array.of(length)
        })()
      )
    }
    const outcome = play({ script: [client`01 02 03`, server`03`], testing: 'server', run })
    await expect(outcome).rejects.toThrow(new ScriptError('byte by byte:\n  expected 03\n  received 01'))
  })
})
