import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Proxy } from './proxy.ts'

const script = (file: string, ...args: string[]): (() => string[]) => {
  const path = fileURLToPath(new URL(`../servers/${file}.js`, import.meta.url))
  return () => [process.execPath, path, ...args]
}

const failure = async (packageName: string): Promise<{ missing?: string }> => {
  try {
    await import(packageName)
    return {}
  } catch (error) {
    return { missing: (error as Error).message.split('\n')[0]! }
  }
}

const version = (packageName: string): string => {
  const file = new URL(`../../node_modules/${packageName}/package.json`, import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

/** Ours in each mode, the plainest that could be written instead, and the peers from npm. */
export const nodeProxies = async (): Promise<Proxy[]> => {
  const ours = (name: string, about: string): Omit<Proxy, 'missing'> => ({
    name,
    about: `it-socks: ${about}`,
    command: script('it-socks', name),
    tells: true,
    udp: true
  })
  return [
    ours('portable', 'on Node’s own sockets'),
    { ...ours('splice', 'handshake on Node’s sockets, relay in the kernel'), ...(await failure('@it-socks/splice')) },
    { ...ours('epoll', 'on system calls'), ...(await failure('@it-socks/epoll')) },
    {
      name: 'handwritten',
      about: 'event handlers on Node’s sockets, CONNECT alone, in one file of this benchmark',
      command: script('handwritten'),
      tells: true,
      udp: false
    },
    {
      name: 'socksv5',
      about: `npm socksv5 ${version('socksv5')}`,
      command: script('socksv5'),
      tells: true,
      udp: false
    },
    {
      name: 'pondwader',
      about: `npm @pondwader/socks5-server ${version('@pondwader/socks5-server')}`,
      command: script('pondwader'),
      tells: true,
      udp: false
    }
  ]
}
