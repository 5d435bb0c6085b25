import { describe, expectTypeOf, it } from 'vitest'
import { stage, type Requested } from '@it-socks/stage'

describe('a stage of one’s own', () => {
  it('sees in its context what it needs, and no more', () => {
    stage<Requested, {}>(async function* ({ context }) {
      expectTypeOf(context).toEqualTypeOf<Requested>()
      // @ts-expect-error identity is not among what it needs
      void context.identity
      return {}
    })
  })

  it('must return what it adds', () => {
    // @ts-expect-error count is missing
    stage<unknown, { count: number }>(async function* () {
      return {}
    })
  })

  it('says bytes, and nothing else', () => {
    // @ts-expect-error text is not bytes
    stage<unknown, {}>(async function* () {
      yield 'hello'
      return {}
    })
  })
})
