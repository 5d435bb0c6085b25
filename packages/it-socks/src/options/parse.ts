import { InvalidAddressError, addressType, canonicalHost, parseAddress } from '@it-socks/protocol'
import type { Endpoint } from '@it-socks/net'
import { UsageError } from '../failure.ts'

/** The longest time that a timer of Node can wait: 2³¹ − 1 ms, in whole seconds. */
const longest = 2_147_483

// No message here repeats its text: who has mixed up options may have given a password.

/** `host:port` (IPv6 in brackets) or `unix:/path`. @throws {UsageError} */
export const parseEndpoint = (text: string): Endpoint => {
  if (text.startsWith('unix:') && text.length > 'unix:'.length) return { path: text.slice('unix:'.length) }
  try {
    return parseAddress(text)
  } catch (error) {
    if (!(error instanceof InvalidAddressError)) throw error
    const port = /^(?:[^:]+|\[.*\]):(\d+)$/.exec(text)?.[1]
    if (Number(port) > 65535) throw new UsageError('takes a port from 0 to 65535', { cause: error })
    throw new UsageError('takes host:port or unix:/path (IPv6 goes in brackets)', { cause: error })
  }
}

/** Seconds, whole or not, above zero, as milliseconds. @throws {UsageError} */
export const parseSeconds = (text: string): number => {
  const milliseconds = parseSecondsOrNone(text)
  if (milliseconds === 0) throw new UsageError('takes seconds above 0')
  return milliseconds
}

/** Seconds, whole or not, zero too, as milliseconds. @throws {UsageError} */
export const parseSecondsOrNone = (text: string): number => {
  const seconds = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (!(seconds <= longest)) throw new UsageError(`takes seconds (at most ${longest})`)
  return Math.ceil(seconds * 1000)
}

/** A whole number of at least 1. @throws {UsageError} */
export const parseCount = (text: string): number => {
  const count = /^\d{1,15}$/.test(text) ? Number(text) : 0
  if (count === 0) throw new UsageError('takes a whole number of at least 1')
  return count
}

/** A whole number, zero too. @throws {UsageError} */
export const parseCountOrNone = (text: string): number => {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError('takes a whole number')
  return Number(text)
}

/** A host to connect to; IPv6 may be in brackets. @throws {UsageError} */
export const parseHost = (text: string): string => {
  const host = canonicalHost(text)
  if (host === '' || /[\s/@[\]]/.test(host) || (host.includes(':') && addressType(host) !== 'ipv6')) {
    throw new UsageError('is a name or an IP address, without port or scheme')
  }
  return host
}

/** A port to connect to, 1 to 65535. @throws {UsageError} */
export const parsePort = (text: string): number => {
  const port = toPort(text)
  if (!(port >= 1)) throw new UsageError('is a number from 1 to 65535')
  return port
}

export const takesPort = 'is a number from 1 to 65535, or 0 with --bind'

/** A port, or 0 where any will do. @throws {UsageError} */
export const parsePortOrAny = (text: string): number => {
  const port = toPort(text)
  if (!(port >= 0)) throw new UsageError(takesPort)
  return port
}

const toPort = (text: string): number => (/^\d{1,5}$/.test(text) && Number(text) <= 65535 ? Number(text) : Number.NaN)

/** One of these words. @throws {UsageError} */
export const parseOneOf =
  <T extends string>(words: readonly T[]) =>
  (text: string): T => {
    const word = words.find((word) => word === text)
    if (word === undefined) throw new UsageError(`takes one of ${words.join(', ')}`)
    return word
  }
