import { Writable } from 'node:stream'
import { expect, it } from 'vitest'
import { lineWriter } from '../src/log/line-writer.ts'

/** A stream whose reader takes a line when told to. */
const slowReader = () => {
  const lines: string[] = []
  const taken: Array<() => void> = []
  const stream = new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      lines.push(line)
      taken.push(done)
    }
  })
  return { stream, lines, take: () => taken.shift()?.() }
}

it('drops lines instead of hoarding them for a slow reader, and says how many', async () => {
  const { stream, lines, take } = slowReader()
  const dropped: number[] = []
  const write = lineWriter(stream, { limit: 3, onDropped: (count) => dropped.push(count) })
  for (const line of ['aa', 'bb', 'cc', 'dd']) write(line)
  expect(stream.writableLength).toBe(4)
  take()
  await new Promise(setImmediate)
  write('ee')
  expect(dropped).toEqual([2])
  take()
  take()
  await new Promise(setImmediate)
  take()
  expect(lines).toEqual(['aa', 'bb', 'ee'])
})

it('survives a reader that went away, and says so once', async () => {
  const broken: string[] = []
  const stream = new Writable({
    autoDestroy: false,
    write(_line, _encoding, done) {
      done(new Error('EPIPE'))
    }
  })
  const write = lineWriter(stream, { onBroken: ({ message }) => broken.push(message) })
  write('a')
  write('b')
  await new Promise(setImmediate)
  write('c')
  expect(broken).toEqual(['EPIPE'])
})
