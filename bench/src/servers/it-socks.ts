import { createServer, type ServerOptions } from '@it-socks/server'
import { announce } from './announce.ts'

/** Where the engines are, and what they are called there. */
const engines: Readonly<Record<string, readonly [packageName: string, exported: string]>> = {
  portable: ['@it-socks/net', 'portable'],
  splice: ['@it-socks/splice', 'splice'],
  epoll: ['@it-socks/epoll', 'epoll']
}

const name = process.argv[2] ?? 'portable'
const [packageName, exported] = engines[name]!
const found = ((await import(packageName)) as Record<string, unknown>)[exported]
const engine = typeof found === 'function' ? (found as () => unknown)() : found

const options: ServerOptions = { listen: { host: '127.0.0.1', port: 0 } }
const server = createServer(engine === undefined ? options : ({ ...options, engine } as ServerOptions))
const [endpoint] = await server.listen()
announce((endpoint as { port: number }).port)
