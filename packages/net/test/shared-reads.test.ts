import { once } from 'node:events'
import { afterEach, expect, it, vi } from 'vitest'
import { plain } from './setup.ts'

afterEach(() => {
  vi.doUnmock('node:net')
  vi.resetModules()
})

it('leaves a socket alone where Node keeps its `onread` in some place that we do not know', async () => {
  vi.resetModules()
  vi.doMock('node:net', async (original) => ({ ...(await original<object>()), Socket: Object }))
  const { readShared } = await import('../src/shared-reads.ts')
  const { socket, peer } = await plain()
  const received = vi.fn<() => boolean>()
  expect(readShared(socket, received)).toBe(false)
  peer.end('hello')
  await once(socket.resume(), 'data')
  expect(received).not.toHaveBeenCalled()
})

it('finds the place in this release of Node', async () => {
  const { readShared } = await import('../src/shared-reads.ts')
  const { socket, peer } = await plain()
  const heard = new Promise((resolve) => {
    expect(
      readShared(socket, (length, buffer) => {
        resolve(Buffer.from(buffer.subarray(0, length)).toString())
        return false
      })
    ).toBe(true)
  })
  socket.resume()
  peer.end('hello')
  expect(await heard).toBe('hello')
})
