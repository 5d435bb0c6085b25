import { expect, it } from 'vitest'
import { binder, datagramBinder, dial, listen, portable } from '@it-socks/net'

it('the portable engine is this package, and joins by what transports know themselves', () => {
  expect(portable).toEqual({ name: 'portable', listen, dial, binder, datagramBinder })
  expect(portable.join).toBeUndefined()
})
