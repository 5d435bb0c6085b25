import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A folder that is gone when the test is over. */
export const temporaryFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'it-socks-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A file in a temporary folder that every user may read: daemons change who they are. */
export const temporaryFile = async (name: string, content: string): Promise<string> => {
  const folder = await temporaryFolder()
  await chmod(folder, 0o755)
  const file = join(folder, name)
  await writeFile(file, content)
  return file
}
