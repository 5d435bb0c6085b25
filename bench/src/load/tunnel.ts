import { allocate, MSG_NOSIGNAL, recv, send } from '@it-socks/syscall'
import { patient } from './patient.ts'
import type { Party, Poller } from './poller.ts'
import { connectTo, wouldBlock } from './socket.ts'

const room = allocate(64)
const hello = allocate(64)
hello.bytes.set([5, 1, 0])
const request = allocate(64)
request.bytes.set([5, 1, 0, 1, 127, 0, 0, 1])

const helloLength = 3
const methodLength = 2
/** A request, and a reply that names an IPv4 address. */
const requestLength = 10

const none = new Uint8Array(0)

/** What to ask for. */
interface Request {
  readonly command: number
  /** At 127.0.0.1. */
  readonly port: number
  /** The proxy has said yes, and named this port: what becomes of the connection. */
  readonly granted: (fd: number, port: number) => Party
}

/** The client's side of a handshake. */
class Handshake implements Party {
  readonly fd: number
  readonly #poller: Poller
  readonly #request: Request
  #state = 0
  /** What has come of a message, for `room` is everybody's. */
  #pieces = none

  constructor(poller: Poller, fd: number, request: Request) {
    this.fd = fd
    this.#poller = poller
    this.#request = request
  }

  ready(events: number): void {
    if (this.#state === 0) {
      // Until the connection is there the kernel says HUP of it, and nothing can be sent.
      const sent = send(this.fd, hello.address, helloLength, MSG_NOSIGNAL)
      if (wouldBlock(sent, 'send')) return
      this.#state = 1
    }
    if (this.#state === 1) {
      if (!this.#receive(methodLength)) return
      if (room.bytes[0] !== 5 || room.bytes[1] !== 0) throw new Error('the proxy does not take "no authentication"')
      const { command, port } = this.#request
      request.bytes[1] = command
      request.bytes[8] = port >> 8
      request.bytes[9] = port & 255
      wouldBlock(send(this.fd, request.address, requestLength, MSG_NOSIGNAL), 'send')
      this.#state = 2
      return
    }
    if (!this.#receive(requestLength)) return
    if (room.bytes[1] !== 0) throw new Error(`the proxy refuses with code ${room.bytes[1]}`)
    if (room.bytes[3] !== 1) throw new Error('the reply names no IPv4 address')
    const party = this.#request.granted(this.fd, (room.bytes[8]! << 8) | room.bytes[9]!)
    this.#poller.pass(party)
    party.ready(events)
  }

  /** Takes no more than what belongs to the message, into `room`. Whether all of it is there. */
  #receive(length: number): boolean {
    const had = this.#pieces.length
    const got = recv(this.fd, room.address + had, length - had, 0)
    if (wouldBlock(got, 'recv')) return false
    if (got === 0) throw new Error('the proxy has closed during the handshake')
    room.bytes.set(this.#pieces)
    if (had + got < length) {
      this.#pieces = room.bytes.slice(0, had + got)
      return false
    }
    this.#pieces = none
    return true
  }
}

/**
 * Opens a tunnel through the proxy to 127.0.0.1:`port`; returns its descriptor. `refused` is told where the proxy does not let
 * it in; without that, it is everybody's failure.
 */
export const openTunnel = (
  poller: Poller,
  proxy: number,
  port: number,
  granted: (fd: number) => Party,
  refused?: (error: unknown) => void
): number => {
  const fd = connectTo(proxy)
  const handshake = new Handshake(poller, fd, { command: 1, port, granted })
  poller.watch(refused === undefined ? handshake : patient(handshake, refused))
  return fd
}

/** Opens an association for datagrams from 127.0.0.1:`port`; `granted` is given the port that they go to. */
export const openAssociation = (
  poller: Poller,
  proxy: number,
  port: number,
  granted: (fd: number, relay: number) => Party
): void => {
  poller.watch(new Handshake(poller, connectTo(proxy), { command: 3, port, granted }))
}
