import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startGenerator, type Generator } from './load/generator.ts'
import { openPool, type Pool } from './proxies/pool.ts'

/** What it takes to measure. */
export interface Equipment {
  readonly generator: Generator
  readonly pool: Pool
  /** For files that nobody needs afterwards. */
  readonly folder: string
}

/** Lends what it takes, and clears up after it, whatever happens. */
export const withEquipment = async <T>(use: (equipment: Equipment) => Promise<T>): Promise<T> => {
  const folder = mkdtempSync(join(tmpdir(), 'it-socks-bench-'))
  const generator = startGenerator(folder)
  const pool = openPool(generator, folder)
  const clear = async (): Promise<void> => {
    await pool.close()
    await generator.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  const interrupt = (): void => {
    void clear().then(() => process.exit(130))
  }
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt).once('SIGHUP', interrupt)
  try {
    return await use({ generator, pool, folder })
  } finally {
    await clear()
  }
}
