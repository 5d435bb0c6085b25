import { createServer, limitYoungGeneration } from '@it-socks/server'
import type { Engine } from '@it-socks/net'
import { announce } from './announce.ts'

const engines: Readonly<Record<string, () => Promise<Engine>>> = {
  portable: async () => (await import('@it-socks/net')).portable,
  splice: async () => (await import('@it-socks/splice')).splice(),
  epoll: async () => (await import('@it-socks/epoll')).epoll()
}

const engine = await engines[process.argv[2] ?? 'portable']!()

// Nobody is to read the numbers of one engine under the name of another.
let isUsed = false
const listen: Engine['listen'] = (endpoint, options) => {
  isUsed = true
  return engine.listen(endpoint, options)
}

// As `it-socks serve` does.
limitYoungGeneration()
const server = createServer({ listen: { host: '127.0.0.1', port: 0 }, engine: { ...engine, listen } })
const [endpoint] = await server.listen()
if (!isUsed) throw new Error(`the server does not use the engine ${engine.name}`)
announce((endpoint as { port: number }).port)
