import { describe, expect, it } from 'vitest'
import { methodSelection, ProxyClosedError, TruncatedError, VersionError } from '@it-socks/protocol'
import { readAnswer, readFrames, type Bytes } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import { chunks } from './steps.ts'

const answer = (source: AsyncIterable<Bytes>) => readAnswer(readFrames(source), methodSelection)

describe('readAnswer', () => {
  it('reads what the proxy answers', async () => {
    expect(await answer(chunks(hex`05`, hex`02`))).toEqual({ method: 2 })
  })

  it('names a proxy that closes instead', async () => {
    const closed = await answer(chunks()).catch((error: unknown) => error)
    expect(closed).toBeInstanceOf(ProxyClosedError)
    expect(closed).toMatchObject({ message: expect.stringContaining('method selection') })
    expect(closed).toHaveProperty('cause.name', 'TruncatedError')
  })

  it('names a proxy that breaks instead, and keeps why', async () => {
    const cause = new Error('ECONNRESET')
    const broken = async function* (): AsyncGenerator<Bytes, void> {
      throw cause
    }
    await expect(answer(broken())).rejects.toMatchObject({ name: 'ProxyClosedError', cause })
  })

  it('does not take half an answer for none', async () => {
    await expect(answer(chunks(hex`05`))).rejects.toThrow(TruncatedError)
  })

  it('does not take a wrong answer for none', async () => {
    await expect(answer(chunks(hex`48 54`))).rejects.toThrow(VersionError)
  })
})
