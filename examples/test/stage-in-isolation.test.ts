import { expect, it } from 'vitest'

it('the stage keeps to its script, however the bytes are cut', async () => {
  await expect(import('../stage-in-isolation.ts')).resolves.toBeDefined()
})
