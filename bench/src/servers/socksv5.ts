import type { Server } from 'node:net'
// @ts-expect-error socksv5 has no types
import socks from 'socksv5'

const server: Server = socks.createServer((_info: unknown, accept: () => void) => accept())
server.listen(0, '127.0.0.1', () => process.send!(server.address()))
// @ts-expect-error socksv5 has no types
server.useAuth(socks.auth.None())
