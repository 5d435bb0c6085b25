import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, it } from 'vitest'
import { tap } from '@it-socks/relay'
import { never, type Bytes } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import { failureOf, flood, say } from './setup.ts'

describe('tap', () => {
  it('shows every chunk that passes, in time, and passes on that very chunk', async () => {
    const chunks = [hex`01`, new Uint8ArrayList(hex`02`, hex`03`), hex``]
    const seen: Bytes[] = []
    const passed: Bytes[] = []
    for await (const bytes of tap((bytes) => seen.push(bytes))(say(...chunks), never)) {
      passed.push(bytes)
      expect(seen).toHaveLength(passed.length)
    }
    expect(passed.map((bytes, index) => bytes === chunks[index] && bytes === seen[index])).toEqual([true, true, true])
  })

  it('breaks the stream where the onlooker throws, and closes the source', async () => {
    const error = new Error('I have seen enough')
    const { state, source } = flood(1)
    const tapped = tap(() => {
      throw error
    })(source, never)
    expect(await failureOf(tapped[Symbol.asyncIterator]().next())).toBe(error)
    expect(state).toEqual({ said: 1, returned: true })
  })
})
