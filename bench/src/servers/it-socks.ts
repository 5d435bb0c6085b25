import { createServer } from '@it-socks/server'

const server = createServer({ listen: { host: '127.0.0.1', port: 0 } })
const [endpoint] = await server.listen()
process.send!(endpoint)
