import { canonicalHost } from '../address.ts'
import { EmptyNameError, TextError } from '../errors.ts'
import { fromUtf8, toUtf8 } from './text.ts'

// Spaces and control characters end a host name for some resolvers, and act on a terminal that a log is read on: a name
// that has them is not the name it seems.
const unsafe = /[ \p{Cc}]/u

/**
 * Reads a host that came as a name. One that spells an IP address is that address: Chromium, Java and others send every
 * host as a name.
 *
 * @throws {MalformedError} for a name that is empty, no UTF-8, or not what it seems
 */
export const hostFromUtf8 = (field: string, bytes: Uint8Array): string => {
  if (bytes.length === 0) throw new EmptyNameError(field)
  const host = fromUtf8(field, bytes)
  if (unsafe.test(host)) throw new TextError(field)
  return canonicalHost(host)
}

/**
 * Writes a host as a name.
 *
 * @throws {SocksError} for a name that is empty, has more than 255 bytes, or is not what it seems
 */
export const hostToUtf8 = (field: string, host: string): Uint8Array => {
  const bytes = toUtf8(field, host)
  if (bytes.length === 0) throw new EmptyNameError(field)
  if (unsafe.test(host)) throw new TextError(field)
  return bytes
}
