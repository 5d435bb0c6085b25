import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { relayDescriptors, type End, type Relayed } from '@it-socks/splice'
import type { Flow } from '@it-socks/stage'
import { F_DUPFD_CLOEXEC, checked, fcntl } from '@it-socks/syscall'

type Where = { host: string; port: number } | { path: string }

/** A connection: our end as a descriptor that is ours alone, and the peer's as the plain socket that it has. */
const connected = async (where: Where = { host: '127.0.0.1', port: 0 }): Promise<{ fd: number; peer: Socket }> => {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true })
  const accepted = once(server, 'connection')
  server.listen(where)
  await once(server, 'listening')
  const to = 'path' in where ? where : (server.address() as AddressInfo)
  const peer = connect({
    ...('path' in to ? to : { host: '127.0.0.1', port: to.port }),
    allowHalfOpen: true,
    noDelay: true
  })
  onTestFinished(() => {
    peer.on('error', () => {}).destroy()
  })
  await once(peer, 'connect')
  const [socket] = (await accepted) as Socket[] as [Socket]
  server.close()
  const fd = checked(fcntl(descriptorOf(socket), F_DUPFD_CLOEXEC, 0), 'fcntl')
  socket.destroy()
  return { fd, peer }
}

/** The descriptor that a socket has. */
export const descriptorOf = (socket: Socket): number => {
  const { _handle: handle } = socket as unknown as { _handle: { fd: number } }
  return handle.fd
}

interface Outcome {
  readonly up: number
  readonly down: number
  /** What it failed with. */
  readonly error?: unknown
}

export interface Test {
  readonly client: Socket
  readonly target: Socket
  readonly relayed: Relayed
  readonly traffic: { up: number; down: number }
  /** What came of it. */
  readonly outcome: Promise<Outcome>
}

export interface Setup {
  readonly client?: Omit<End, 'fd'>
  readonly target?: Omit<End, 'fd'>
  readonly where?: Where
  /** Called of all that passes. */
  readonly passed?: Flow['passed']
  /** Has both descriptors before the relay does. */
  readonly before?: (client: number, target: number) => void
}

/** A relay of descriptors between two plain sockets. */
export const relay = async ({ client = {}, target = {}, where, passed, before }: Setup = {}): Promise<Test> => {
  const [one, other] = [await connected(where), await connected(where)]
  const traffic = { up: 0, down: 0 }
  let relayed: Relayed
  before?.(one.fd, other.fd)
  const outcome = new Promise<Outcome>((resolve) => {
    relayed = relayDescriptors(
      { fd: one.fd, ...client },
      { fd: other.fd, ...target },
      {
        passed(direction, length) {
          traffic[direction] += length
          passed?.(direction, length)
        },
        ended: () => resolve(traffic),
        failed: (error) => resolve({ ...traffic, error })
      }
    )
  })
  onTestFinished(() => relayed.abort(new Error('the test is over')))
  return { client: one.peer, target: other.peer, relayed: relayed!, traffic, outcome }
}

/** Where a unix socket may be, for as long as the test runs. */
export const socketPath = async (): Promise<{ path: string }> => {
  const directory = await mkdtemp(join(tmpdir(), 'it-socks-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return { path: join(directory, 'socket') }
}

/** All that a socket hears until its peer ends. */
export const hear = async (socket: Socket): Promise<Buffer> => {
  const heard: Uint8Array[] = []
  socket.on('data', (chunk) => heard.push(chunk)).resume()
  await once(socket, 'end')
  return Buffer.concat(heard)
}

/** When a socket hears no more. (libuv takes a reset that comes together with data for an end.) */
export const over = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket
      .on('error', () => {})
      .on('close', resolve)
      .on('end', resolve)
      .resume()
  })

/** Bytes that say where they are. */
export const pattern = (length: number): Uint8Array => {
  const words = new Uint32Array(Math.ceil(length / 4))
  for (let index = 0; index < words.length; index++) words[index] = Math.imul(index, 2_654_435_761)
  return new Uint8Array(words.buffer, 0, length)
}

/** Turns the event loop until `count` has stood still for so many turns: nothing moves any more. */
export const standstill = async (count: () => number, turns = 50): Promise<number> => {
  let last = count()
  for (let still = 0; still < turns; still++) {
    await turn()
    if (count() !== last) still = 0
    last = count()
  }
  return last
}
