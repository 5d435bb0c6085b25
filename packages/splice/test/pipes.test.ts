import { readdirSync } from 'node:fs'
import { expect, it, onTestFinished } from 'vitest'
import { beginRelay, discardPipe, endRelay, returnPipe, takePipe, type Pipe } from '../src/pipes.ts'

const open = (): number => readdirSync('/proc/self/fd').length

const taken = (): Pipe[] => {
  const pipes: Pipe[] = []
  for (let pipe = takePipe(); pipe !== undefined; pipe = takePipe()) pipes.push(pipe)
  return pipes
}

const begin = (): void => {
  beginRelay()
  onTestFinished(endRelay)
}

it('a pipe that is given back is the next that is taken', () => {
  begin()
  const pipe = takePipe()!
  returnPipe(pipe)
  expect(takePipe()).toBe(pipe)
  returnPipe(pipe)
})

it('a pipe with something left in it is no more', () => {
  begin()
  const before = open()
  const pipe = takePipe()!
  discardPipe(pipe)
  expect(open()).toBe(before)
})

it('there are only so many, few of them wait for the next, and none when the last relay is over', () => {
  const before = open()
  beginRelay()
  beginRelay()
  const pipes = taken()
  expect(pipes.length).toBe(64)
  expect(open()).toBe(before + 128)
  for (const pipe of pipes) returnPipe(pipe)
  expect(open()).toBe(before + 32)
  endRelay()
  expect(open()).toBe(before + 32)
  endRelay()
  expect(open()).toBe(before)
})
