import { createServer, type ServerOptions } from '@it-socks/server'
import type { Engine } from '@it-socks/net'
import { announce } from './announce.ts'

/** Where the engines are, and what they are called there. */
const engines: Readonly<Record<string, readonly [packageName: string, exported: string]>> = {
  portable: ['@it-socks/net', 'portable'],
  splice: ['@it-socks/splice', 'splice'],
  epoll: ['@it-socks/epoll', 'epoll']
}

const [packageName, exported] = engines[process.argv[2] ?? 'portable']!
const found = ((await import(packageName)) as Record<string, Engine | (() => Engine)>)[exported]!
const engine = typeof found === 'function' ? found() : found

// Nobody is to read the numbers of one engine under the name of another.
let isUsed = false
const listen: Engine['listen'] = (endpoint, options) => {
  isUsed = true
  return engine.listen(endpoint, options)
}

const options: ServerOptions & { engine: Engine } = {
  listen: { host: '127.0.0.1', port: 0 },
  engine: { ...engine, listen }
}
const server = createServer(options)
const [endpoint] = await server.listen()
if (!isUsed && engine.name !== 'portable') throw new Error(`the server does not use the engine ${engine.name}`)
announce((endpoint as { port: number }).port)
