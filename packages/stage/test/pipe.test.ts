import { describe, expect, it } from 'vitest'
import { RefusedError, greeting, methodSelection } from '@it-socks/protocol'
import { compose, frames, pipe, stage, type Bytes, type Step } from '@it-socks/stage'
import { duplexPair, hex } from '@it-socks/testing'
import { chunks, handoff, run, steps } from './steps.ts'

/** Says a byte, and adds what it says to the context. */
const saying = <Name extends string>(name: Name, byte: number) =>
  stage<unknown, Record<Name, number>>(async function* () {
    yield Uint8Array.of(byte)
    return { [name]: byte } as Record<Name, number>
  })

const greeted = stage<unknown, { methods: readonly number[] }>(async function* ({ frames }) {
  const { methods } = await frames.read(greeting)
  yield methodSelection.encode({ method: methods[0] ?? 0xff })
  return { methods }
})

describe('pipe', () => {
  it('runs a source of bytes through the stages, first to last', async () => {
    const { said, handoff: end } = await pipe(
      chunks(hex`05 01`, hex`80`),
      frames(),
      greeted,
      saying('a', 1),
      saying('b', 2),
      run
    )
    expect(said).toEqual(['05 80', '01', '02'])
    expect(end?.context).toEqual({ methods: [0x80], a: 1, b: 2 })
  })

  it('takes the source of a duplex, and leaves its sink alone', async () => {
    const [near, far] = duplexPair()
    const heard = pipe(near, frames(), greeted, run)
    await far.sink(chunks(hex`05 01 00`))
    expect((await heard).handoff?.context).toEqual({ methods: [0] })
    await Promise.all([near.sink(chunks(hex`aa`)), expect(first(far.source)).resolves.toEqual(hex`aa`)])
  })

  it('takes stages of plain functions', async () => {
    const backwards = async function* <Context>(all: AsyncIterable<Step<Context>>): AsyncGenerator<Step<Context>> {
      for await (const step of all) yield step instanceof Uint8Array ? step.toReversed() : step
    }
    expect((await pipe(chunks(hex`05 01 80`), frames(), greeted, backwards, run)).said).toEqual(['80 05'])
  })
})

describe('compose', () => {
  it('is one stage that does what its stages do, in their order', async () => {
    const both = compose(saying('a', 1), saying('b', 2))
    const { said, handoff: end } = await run(both(steps(hex`00`, handoff({ context: { before: 0 } }))))
    expect(said).toEqual(['00', '01', '02'])
    expect(end?.context).toEqual({ before: 0, a: 1, b: 2 })
  })

  it('takes up to four stages, and composed ones among them', async () => {
    const four = compose(saying('a', 1), saying('b', 2), saying('c', 3), saying('d', 4))
    const nested = compose(four, saying('e', 5), compose(saying('f', 6), saying('g', 7)))
    const { said, handoff: end } = await run(nested(steps(handoff())))
    expect(said).toEqual(['01', '02', '03', '04', '05', '06', '07'])
    expect(end?.context).toEqual({ a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7 })
  })

  it('hands the seal, the reader and the refusal of one stage to the next', async () => {
    const replacing = stage<unknown, {}>(async function* ({ frames }) {
      return {
        frames: frames.through(async function* (rest) {
          for await (const bytes of rest) yield bytes.subarray().map((byte) => byte ^ 0xff)
        }),
        seal: (bytes: Bytes) => bytes.subarray().map((byte) => byte ^ 0xff),
        refuse: () => hex`ee`
      }
    })
    const failing = stage<unknown, {}>(async function* () {
      throw new RefusedError('not-allowed')
    })
    const outcome = await pipe(chunks(hex`fa fe ff`), frames(), compose(replacing, greeted, failing), run)
    expect(outcome.said).toEqual(['fa ff', '11'])
    expect(outcome.error).toMatchObject({ code: 'ERR_SOCKS_NOT_ALLOWED' })
  })

  it('can be used again and again', async () => {
    const both = compose(saying('a', 1), saying('b', 2))
    const outcomes = await Promise.all([run(both(steps(handoff()))), run(both(steps(handoff())))])
    expect(outcomes.map(({ said }) => said)).toEqual([
      ['01', '02'],
      ['01', '02']
    ])
  })
})

const first = async (source: AsyncIterable<Bytes>): Promise<Bytes | undefined> => {
  for await (const bytes of source) return bytes
  return undefined
}
