import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Proxy } from './proxy.ts'

const path = (file: string): string => fileURLToPath(new URL(`../servers/${file}.js`, import.meta.url))

const version = (packageName: string): string => {
  const file = new URL(`../../node_modules/${packageName}/package.json`, import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

const ours = (name: string, about: string): Proxy => ({
  name,
  about: `it-socks: ${about}`,
  command: () => [process.execPath, path('it-socks'), name],
  tells: true,
  udp: true,
  missing: undefined
})

/** Ours in several threads, each with an engine. */
const inThreads = (threads: number): Proxy => ({
  name: `epoll-${threads}`,
  about: `it-socks: on system calls, in ${threads} threads`,
  command: () => [process.execPath, path('threads'), String(threads)],
  tells: true,
  udp: true,
  onRequest: true,
  missing: undefined
})

const others = (name: string, about: string): Proxy => ({
  name,
  about,
  command: () => [process.execPath, path(name)],
  tells: true,
  udp: false,
  missing: undefined
})

const fromNpm = (name: string, packageName: string): Proxy => others(name, `npm ${packageName} ${version(packageName)}`)

/** Ours in each mode, of which some do not start everywhere; the plainest that could be written instead, on Node's sockets and on ours; and the
 * peers from npm. */
export const nodeProxies = (): Proxy[] => [
  ours('portable', 'on what is below Node’s sockets'),
  ours('splice', 'the same, relays in the kernel'),
  ours('epoll', 'on system calls'),
  inThreads(2),
  others('handwritten', 'event handlers on Node’s sockets, CONNECT alone, in one file of this benchmark'),
  others('unstaged', 'the connections of portable without its stages, CONNECT alone, in one file of this benchmark'),
  fromNpm('socksv5', 'socksv5'),
  fromNpm('pondwader', '@pondwader/socks5-server')
]
