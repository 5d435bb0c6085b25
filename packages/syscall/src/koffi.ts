import { createRequire } from 'node:module'
import type * as Koffi from 'koffi'
import { UnsupportedError } from './unsupported.ts'

/** Those where the kernel's numbers and structures are what we say: 64 bits, low byte first, the generic numbers. */
const processors: ReadonlySet<string> = new Set(['x64', 'arm64', 'riscv64', 'loong64'])

const load = (): typeof Koffi => {
  const { platform, arch } = process
  if (platform !== 'linux') throw new UnsupportedError(`there are no Linux system calls on ${platform}`)
  if (!processors.has(arch)) throw new UnsupportedError(`system calls are not known for the processor ${arch}`)
  try {
    // An import that fails could not be told from a mistake of ours.
    return createRequire(import.meta.url)('koffi') as typeof Koffi
  } catch (cause) {
    throw new UnsupportedError('koffi, which calls the system, cannot be loaded', { cause })
  }
}

/** What calls C from JavaScript. */
export const koffi: typeof Koffi = load()
