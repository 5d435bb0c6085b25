import { describe, expect, it } from 'vitest'
import { Failure } from '../src/failure.ts'
import { byLine, whole } from '../src/udp/datagrams.ts'

/** Stdin that comes in chunks of so many bytes. */
const input = async function* (text: string | Uint8Array, size: number): AsyncGenerator<Uint8Array, void> {
  const bytes = Buffer.from(text)
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size)
}

const linesOf = async (text: string | Uint8Array, size: number): Promise<string[]> => {
  const lines: string[] = []
  for await (const line of byLine(input(text, size))) lines.push(Buffer.from(line).toString())
  return lines
}

const sizes = [1, 2, 3, 1000]
const largest = 65_507

describe('whole', () => {
  it.each(sizes)('is all of stdin, newlines too, in chunks of %d', async (size) => {
    expect(Buffer.from(await whole(input('one\ntwo\n', size))).toString()).toBe('one\ntwo\n')
  })

  it('is empty where stdin is', async () => {
    expect(await whole(input('', 1))).toHaveLength(0)
  })

  it('takes as much as a datagram can have, and not a byte more', async () => {
    expect(await whole(input(new Uint8Array(largest), 10_000))).toHaveLength(largest)
    const tooMuch = whole(input(new Uint8Array(largest + 1), 10_000))
    await expect(tooMuch).rejects.toThrow('stdin has more than the 65507 bytes that a datagram can have')
    await expect(tooMuch).rejects.toBeInstanceOf(Failure)
  })

  it('gives up on endless input instead of keeping it', async () => {
    let chunks = 0
    const endless = (async function* () {
      for (;;) {
        chunks++
        yield new Uint8Array(1000)
      }
    })()
    await expect(whole(endless)).rejects.toThrow('stdin has more than')
    expect(chunks).toBe(66)
  })
})

describe('byLine', () => {
  it.each(sizes)('gives lines without their newlines, the last with or without one, in chunks of %d', async (size) => {
    expect(await linesOf('one\ntwo\n', size)).toEqual(['one', 'two'])
    expect(await linesOf('one\ntwo', size)).toEqual(['one', 'two'])
  })

  it.each(sizes)('gives empty lines, and keeps carriage returns, in chunks of %d', async (size) => {
    expect(await linesOf('\none\r\n\n', size)).toEqual(['', 'one\r', ''])
  })

  it('gives nothing of nothing', async () => {
    expect(await linesOf('', 1)).toEqual([])
  })

  it('gives a line as soon as it is there', async () => {
    const { value } = await byLine(
      (async function* () {
        yield Buffer.from('one\ntw')
        await new Promise(() => {})
      })()
    ).next()
    expect(String(Buffer.from(value!))).toBe('one')
  })

  it('says which line is too long, and not before it is', async () => {
    const lines = Buffer.concat([Buffer.alloc(largest, 'x'), Buffer.from('\n'), Buffer.alloc(largest + 1, 'y')])
    await expect(linesOf(lines, 10_000)).rejects.toThrow('line 2 of stdin has more than the 65507 bytes')
    expect(await linesOf(lines.subarray(0, -1), 10_000)).toHaveLength(2)
  })
})
