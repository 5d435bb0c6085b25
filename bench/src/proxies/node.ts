import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Proxy } from './proxy.ts'

const script = (file: string, ...args: string[]): (() => string[]) => {
  const path = fileURLToPath(new URL(`../servers/${file}.js`, import.meta.url))
  return () => [process.execPath, path, ...args]
}

const version = (packageName: string): string => {
  const file = new URL(`../../node_modules/${packageName}/package.json`, import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

const ours = (name: string, about: string): Proxy => ({
  name,
  about: `it-socks: ${about}`,
  command: script('it-socks', name),
  tells: true,
  udp: true,
  missing: undefined
})

const others = (name: string, about: string): Proxy => ({
  name,
  about,
  command: script(name),
  tells: true,
  udp: false,
  missing: undefined
})

const fromNpm = (name: string, packageName: string): Proxy => others(name, `npm ${packageName} ${version(packageName)}`)

/** Ours in each mode, of which some do not start everywhere; the plainest that could be written instead, and the peers from npm. */
export const nodeProxies = (): Proxy[] => [
  ours('portable', 'on Node’s own sockets'),
  ours('splice', 'handshake on Node’s sockets, relay in the kernel'),
  ours('epoll', 'on system calls'),
  others('handwritten', 'event handlers on Node’s sockets, CONNECT alone, in one file of this benchmark'),
  fromNpm('socksv5', 'socksv5'),
  fromNpm('pondwader', '@pondwader/socks5-server')
]
