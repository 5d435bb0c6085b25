import { accessSync, constants, existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { beforeEach } from 'vitest'

const required = process.env['IT_SOCKS_REQUIRE_INTEROP'] === '1'

// Daemons live in folders that are on nobody's PATH but the administrator's.
const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin']

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const find = (name: string): string | undefined =>
  isAbsolute(name) ? [name].find(existsSync) : folders.map((folder) => join(folder, name)).find(isExecutable)

/** Debian's Python: others that may be on the PATH do not have its packages. */
export const python = '/usr/bin/python3'

/** A module of Debian's Python, as a file that is installed or not. */
export const pythonModule = (name: string): string => `/usr/lib/python3/dist-packages/${name}`

/** The path of an installed program. */
export const program = (name: string): string => {
  const path = find(name)
  if (path === undefined) throw new Error(`${name} is not installed`)
  return path
}

/**
 * Says what programs (or files, by their absolute path) the tests of this file or `describe` talk to. Where one is not installed they are skipped, and the
 * reason is shown; with IT_SOCKS_REQUIRE_INTEROP=1 they fail.
 */
export const needs = (...names: string[]): void => {
  beforeEach((test) => {
    const missing = names.filter((name) => find(name) === undefined)
    if (missing.length === 0) return
    const reason = `not installed: ${missing.join(', ')}`
    if (required) throw new Error(reason)
    test.skip(reason)
  })
}

/** Whether a test may do what only root may. */
export const isRoot = process.getuid?.() === 0

/** Whether `::1` can be listened on: in many containers it cannot. */
export const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1')
)
