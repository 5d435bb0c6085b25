import { addressType, canonicalHost, type Address } from '@it-socks/protocol'
import type { PortRange } from '@it-socks/net'
import { UsageError } from '../failure.ts'
import { parseHost, parseOneOf } from './parse.ts'

// As in parse.ts, no message repeats its text.

/** An IP address without a zone; IPv6 may be in brackets. @throws {UsageError} */
export const parseIp = (text: string): string => {
  const ip = toIp(text)
  if (ip === undefined) throw new UsageError('takes an IP address')
  return ip
}

const toIp = (text: string): string | undefined => {
  const ip = canonicalHost(text)
  return addressType(ip) === 'domain' || ip.includes('%') ? undefined : ip
}

/** `ip` or `ip:port`, port 53 where there is none; IPv6 with a port goes in brackets. @throws {UsageError} */
export const parseNameServer = (text: string): Address => {
  const [, bare = text, port = '53'] = /^(\[.*\]|[^:]*):(\d+)$/.exec(text) ?? []
  const host = toIp(bare)
  const number = Number(port)
  if (host === undefined || number < 1 || number > 65535) {
    throw new UsageError('takes ip or ip:port (IPv6 with a port goes in brackets)')
  }
  return { host, port: number }
}

/** `name=ip`, or several addresses with commas between them. @throws {UsageError} */
export const parseHostEntry = (text: string): readonly [name: string, ips: readonly string[]] => {
  const [, name = '', list = ''] = /^([^=]+)=([^=]+)$/.exec(text) ?? []
  const ips = list.split(',').map(toIp)
  if (!isName(name) || ips.includes(undefined)) throw new UsageError('takes name=ip or name=ip,ip')
  return [name, ips.filter((ip) => ip !== undefined)]
}

const isName = (text: string): boolean => {
  try {
    return addressType(parseHost(text)) === 'domain'
  } catch {
    return false
  }
}

/** `first-last`, or one port. @throws {UsageError} */
export const parsePortRange = (text: string): PortRange => {
  const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? []
  const range: PortRange = [Number(first), Number(last)]
  if (range[0] < 1 || range[0] > range[1] || range[1] > 65535) {
    throw new UsageError('takes first-last, two ports from 1 to 65535')
  }
  return range
}

/** 4 or 6. @throws {UsageError} */
export const parseFamily = (text: string): 4 | 6 => (parseOneOf(['4', '6'])(text) === '4' ? 4 : 6)
