import { expect, it } from 'vitest'
import { allocateAside, buffer, bufferSize, putAside, readSize, takeBack } from '../src/buffer.ts'

it('what is put aside is a copy, which the next read does not touch', () => {
  buffer.bytes.set([1, 2, 3, 4])
  const aside = putAside(1, 3)
  buffer.bytes.fill(9, 0, 4)
  expect([...aside.bytes]).toEqual([2, 3])
  takeBack(aside)
})

it('less is read at a time while much waits to be sent', () => {
  expect(readSize()).toBe(bufferSize)
  const waiting = Array.from({ length: 4 }, () => allocateAside(8_388_608))
  expect(readSize()).toBe(16_384)
  for (const memory of waiting) takeBack(memory)
  expect(readSize()).toBe(bufferSize)
})
