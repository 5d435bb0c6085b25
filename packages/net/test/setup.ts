import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { portable, socketDuplex, type DescriptorTransport, type SocketDuplex } from '@it-socks/net'
import { accepted, descriptorTransport, dialled, type Connected } from '../../../test/support/connected.ts'
import { portOf, serving } from '../../../test/support/sockets.ts'

/** A connection of two plain sockets. */
export const plain = async (): Promise<{ socket: Socket; peer: Socket }> => {
  const server = await serving({ host: '127.0.0.1' })
  const accepted = once(server, 'connection')
  const socket = connect({ host: '127.0.0.1', port: portOf(server), allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  const [peer] = (await accepted) as [Socket]
  if (socket.connecting) await once(socket, 'connect')
  return { socket, peer }
}

export type Where = { host: string } | { path: string }

const loopback: Where = { host: '127.0.0.1' }

/** One whose own end is a socket of Node’s. */
export const connected = async (where: Where = loopback): Promise<Connected & { readonly socket: Socket }> => {
  const server = await serving(where)
  const accepted = once(server, 'connection')
  const socket = connect({ ...('path' in where ? where : { ...where, port: portOf(server) }), allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  const [peer] = (await accepted) as [Socket]
  return { ours: socketDuplex(socket), socket, peer }
}

/** What a connection is made of, and nobody else is to know. */
export const handleOf = (duplex: SocketDuplex): HandleInTest => (duplex as unknown as { handle: HandleInTest }).handle

/** As much of a handle as tests get in between. */
export interface HandleInTest {
  fd?: number
  readonly writeBuffer: (request: object, bytes: Uint8Array) => number
}

/** One whose own end is a handle: dialled over TCP, or accepted on a unix socket. */
export interface Opened extends Connected {
  readonly at: DescriptorTransport
}

export const opened = async (
  where: Where = loopback,
  prepare: (handle: HandleInTest) => void = () => {}
): Promise<Opened> => {
  const { ours, peer } = await ('path' in where ? accepted(portable, where) : dialled(portable, where.host))
  prepare(handleOf(ours))
  const at = descriptorTransport(ours)
  return { ours, at, peer }
}

/** Both kinds of connections, for what is so of either. */
export const kinds: ReadonlyArray<readonly [name: string, open: (where?: Where) => Promise<Connected>]> = [
  ['a socket of Node’s', connected],
  ['a handle', opened]
]

/** Each way in which a handle’s bytes may be written: with all that there is of it, or with less. */
export const ways: ReadonlyArray<readonly [name: string, prepare: (handle: HandleInTest) => void]> = [
  ['as it is', () => {}],
  ['without a descriptor, as on Windows', (handle) => void Object.defineProperty(handle, 'fd', { value: undefined })]
]
