import type { AddressInfo, Server } from 'node:net'
// @ts-expect-error socksv5 has no types
import socks from 'socksv5'
import { announce } from './announce.ts'

const server: Server = socks.createServer((_info: unknown, accept: () => void) => accept())
server.listen(0, '127.0.0.1', () => announce((server.address() as AddressInfo).port))
// @ts-expect-error socksv5 has no types
server.useAuth(socks.auth.None())
