import { expect, it } from 'vitest'
import { serveCli } from '../../../test/support/cli.ts'

it('listens', async () => {
  const cli = await serveCli()
  expect(cli.port).toBeGreaterThan(0)
})
