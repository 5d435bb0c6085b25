import { hashSync } from 'bcryptjs'
import { describe, expect, it } from 'vitest'
import { bcryptCompare, costOf, withCost } from '../src/serve/bcrypt.ts'

const { signal } = new AbortController()
const sesame = hashSync('open sesame', 4)

describe('costOf', () => {
  it('reads the cost of a bcrypt hash, and of nothing else', () => {
    expect(costOf(hashSync('x', 5))).toBe(5)
    expect(costOf(withCost(sesame, 31))).toBe(31)
    for (const none of [withCost(sesame, 3), withCost(sesame, 32), `${sesame}.`, ` ${sesame}`, sesame.slice(1), '']) {
      expect(costOf(none)).toBeUndefined()
    }
  })
})

describe('bcryptCompare', () => {
  it('compares with the first hash, whatever the others say', async () => {
    const compare = bcryptCompare({ waiting: 4 })
    const other = hashSync('other', 4)
    expect(await compare('open sesame', [sesame, other], { signal })).toBe(true)
    expect(await compare('other', [sesame, other], { signal })).toBe(false)
  })

  it('leaves the event loop to others while it compares', async () => {
    const order: string[] = []
    const comparing = bcryptCompare({ waiting: 1 })('x', [withCost(sesame, 12)], { signal }).then(() =>
      order.push('compared')
    )
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    order.push('twenty turns of the loop')
    await comparing
    expect(order).toEqual(['twenty turns of the loop', 'compared'])
  })

  it('refuses what would have to wait too long, and goes on with the others', async () => {
    const compare = bcryptCompare({ waiting: 2 })
    const flood = await Promise.allSettled(
      Array.from({ length: 5 }, () => compare('open sesame', [sesame], { signal }))
    )
    expect(flood.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected', 'rejected'])
    expect(await compare('open sesame', [sesame], { signal })).toBe(true)
  })

  it('goes on after a comparison that failed', async () => {
    const compare = bcryptCompare({ waiting: 1 })
    await expect(compare('x', [undefined as unknown as string], { signal })).rejects.toThrow('Illegal arguments')
    expect(await compare('open sesame', [sesame], { signal })).toBe(true)
  })
})
