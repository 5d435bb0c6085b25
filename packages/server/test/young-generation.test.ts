import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, inject, it } from 'vitest'

const run = promisify(execFile)

/** Lets as much survive as thousands of relays do, and says how large the young generation has become. */
const program = (first: string): string => `
  import { getHeapSpaceStatistics } from 'node:v8'
  import { limitYoungGeneration } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)}
  ${first}
  const kept = []
  for (let index = 0; index < 3000; index++) kept.push(Array.from({ length: 200 }, (_, place) => ({ index, place })))
  const { space_size: size } = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')
  console.log(JSON.stringify({ size: size / 1024 / 1024, kept: kept.length }))
`

const sizeAfter = async (first: string): Promise<number> => {
  if (inject('buildFailure') !== '') throw new Error('what the process runs could not be built')
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', program(first)])
  expect(stderr).toBe('')
  return (JSON.parse(stdout) as { size: number }).size
}

it('the young generation stays small where it is limited, and does not where it is not', async () => {
  expect(await sizeAfter('limitYoungGeneration()')).toBeLessThanOrEqual(8)
  expect(await sizeAfter('')).toBeGreaterThan(8)
})
