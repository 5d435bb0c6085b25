import { ConfigurationError, addressType, type CommandName } from '@it-socks/protocol'
import { comparable, isLocalhost } from '../host-name.ts'
import { toIp, withEmbedded, type Ip } from '../network.ts'
import type { Attempt, Verdict } from '../rule.ts'
import type { Truth } from '../truth.ts'
import { readDestination, readOrigin, type End } from './place.ts'
import { quote, show, type Word } from './words.ts'

/** One of the alternatives of a part. */
export interface Choice {
  /** How it is written in the rule's name. */
  readonly text: string
  matches(attempt: Attempt): Truth
}

/** The parts of a rule, in the order of its name. */
export const partNames = ['command', 'user', 'by', 'from', 'to', 'port'] as const
export type PartName = (typeof partNames)[number]

/** The words that start a part. */
export const keywords: ReadonlyMap<string, PartName> = new Map(
  partNames.filter((name) => name !== 'command').map((name) => [name, name])
)

const commands = new Map<string, CommandName>([
  ['connect', 'connect'],
  ['bind', 'bind'],
  ['udp', 'udpAssociate'],
  ['resolve', 'resolve'],
  ['resolve-ptr', 'resolvePtr']
])

export const commandWords: readonly string[] = [...commands.keys()]

/** Words that mean something where they stand: a user of that name goes into quotes. */
export const reserved: ReadonlySet<string> = new Set([
  'allow',
  'deny',
  'everything',
  'or',
  ...keywords.keys(),
  ...commandWords
])

/** Reads an alternative of each part. @throws {ConfigurationError} for what is none */
export const readChoice: Readonly<Record<PartName, (word: Word, verdict: Verdict) => Choice>> = {
  command({ value }) {
    const text = value.toLowerCase()
    const name = commands.get(text)
    if (name === undefined) throw new ConfigurationError(`${show(value)} is no command: ${commandWords.join(', ')} are`)
    return { text, matches: ({ command }) => command === name }
  },
  user: ({ value }) => ({ text: plainly(value), matches: ({ identity }) => identity.username === value }),
  by: ({ value }) => ({ text: plainly(value), matches: ({ identity }) => identity.method === value }),
  from({ value }, verdict) {
    const { text, has } = readOrigin(value)
    return { text, matches: (attempt) => has(originOf(attempt, verdict)) }
  },
  to({ value }, verdict) {
    const { text, has } = readDestination(value)
    return { text, matches: (attempt) => has(destinationOf(attempt, verdict)) }
  },
  port({ value }) {
    const { first, last } = readPorts(value)
    return {
      text: first === last ? `${first}` : `${first}-${last}`,
      matches({ command, destination }) {
        if (command !== 'connect' && command !== 'udpAssociate') return false
        return destination === undefined ? undefined : destination.port >= first && destination.port <= last
      }
    }
  }
}

const plainly = (name: string): string =>
  /^[\w.@+/-]+$/.test(name) && !reserved.has(name.toLowerCase()) ? name : quote(name)

const readPorts = (text: string): { first: number; last: number } => {
  const { from, to = from } = /^(?<from>\d{1,5})(?:-(?<to>\d{1,5}))?$/.exec(text)?.groups ?? {}
  const [first, last] = [Number(from), Number(to)]
  if (from === undefined || last > 65535 || first > last) {
    throw new ConfigurationError(
      `${show(text)} is no port: behind "port" go numbers from 0 to 65535, and ranges, 1-1023`
    )
  }
  return { first, last }
}

/** To allow takes the address itself, to deny is better done once too often: for whatever it may be taken for. */
const readings = (ip: Ip, verdict: Verdict): readonly Ip[] => (verdict === 'deny' ? withEmbedded(ip) : [ip])

const originOf = ({ client }: Attempt, verdict: Verdict): End => {
  const ip = client === undefined ? undefined : toIp(client.host)
  return { ips: ip === undefined ? [] : readings(ip, verdict), isHere: client === undefined }
}

const destinationOf = ({ destination, ip }: Attempt, verdict: Verdict): End => {
  const host = destination?.host
  const name = host === undefined || addressType(host) !== 'domain' ? undefined : host
  const resolved = ip === undefined ? undefined : toIp(ip)
  return {
    ...(name !== undefined && { name: comparable(name) }),
    ...(resolved !== undefined && { ips: readings(resolved, verdict) }),
    isHere: verdict === 'deny' && name !== undefined && isLocalhost(name)
  }
}
