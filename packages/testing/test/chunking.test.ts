import { describe, expect, it } from 'vitest'
import { chunked, cutAt, everyChunking, hex } from '@it-socks/testing'

describe('everyChunking', () => {
  it('cuts at every place there is', () => {
    expect(everyChunking(4).map(({ name }) => name)).toEqual([
      'line by line',
      'byte by byte',
      'glued',
      'cut at byte 1',
      'cut at byte 2',
      'cut at byte 3'
    ])
  })

  it.each([0, 1])('has nothing to cut in a conversation of %i bytes', (length) => {
    expect(everyChunking(length).map(({ name }) => name)).toEqual(['line by line', 'byte by byte', 'glued'])
  })
})

describe('chunked', () => {
  const bytes = hex`00 01 02 03`

  it('cuts before the bytes that are named', () => {
    expect(chunked(bytes, cutAt(1, 3))).toEqual([hex`00`, hex`01 02`, hex`03`])
  })

  it('counts from the first byte of the conversation, not of the line', () => {
    expect(chunked(bytes, cutAt(12), 10)).toEqual([hex`00 01`, hex`02 03`])
    expect(chunked(bytes, cutAt(2), 10)).toEqual([bytes])
  })

  it.each(everyChunking(4))('loses nothing: $name', (chunking) => {
    expect(hex`${Buffer.concat(chunked(bytes, chunking))}`).toEqual(bytes)
  })

  it('cuts byte by byte', () => {
    const chunking = everyChunking(4).find(({ name }) => name === 'byte by byte')
    expect(chunking && chunked(bytes, chunking)).toEqual([hex`00`, hex`01`, hex`02`, hex`03`])
  })
})
