import type { AddressInfo, Server } from 'node:net'
import { createServer } from '@pondwader/socks5-server'
import { announce } from './announce.ts'

const server = createServer()
server.listen(0, '127.0.0.1', () => {
  announce(((server as unknown as { server: Server }).server.address() as AddressInfo).port)
})
