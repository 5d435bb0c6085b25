import { ConfigurationError, UnresolvableError, addressType } from '@it-socks/protocol'
import type { Resolve } from '@it-socks/stage'
import { resolveNames } from './names.ts'

export interface TableResolveOptions {
  /** Asked for the names that are not in the table. Default: they cannot be resolved. */
  otherwise?: Resolve
}

/**
 * Resolves names by a fixed table. Case does not matter, nor does a dot at the end; a name stands for itself alone, not for
 * its subdomains; one with an empty list has no address, whatever `otherwise` knows.
 *
 * The promise rejects with an `UnresolvableError`.
 *
 * @throws {ConfigurationError} for an answer that is no IP address
 *
 * @example
 *
 * ```ts
 * import { systemResolve, tableResolve } from '@it-socks/net'
 *
 * const table = { 'intranet.example': ['192.0.2.1', '2001:db8::1'], 'ads.example': [] }
 * const resolve = tableResolve(table, { otherwise: systemResolve() })
 * await resolve('Intranet.Example.', { family: 6 }) // => ['2001:db8::1']
 * ```
 */
export const tableResolve = (
  table: Readonly<Record<string, string | readonly string[]>>,
  { otherwise = unknown }: TableResolveOptions = {}
): Resolve => {
  const answers = new Map(Object.entries(table).map(([name, answer]) => [keyOf(name), [answer].flat()]))
  for (const [name, addresses] of answers) {
    const wrong = addresses.find((address) => addressType(address) === 'domain')
    if (wrong !== undefined) throw new ConfigurationError(`${name} is to be ${wrong}, which is not an IP address`)
  }
  return resolveNames(
    async (name, { family, signal }) =>
      answers.get(keyOf(name)) ?? otherwise(name, family === undefined ? { signal } : { signal, family })
  )
}

const keyOf = (name: string): string => name.toLowerCase().replace(/\.$/, '')

const unknown: Resolve = async (host) => {
  throw new UnresolvableError(host)
}
