import { keepSpecimens, type Flow } from '@it-socks/stage'
import {
  ECONNRESET,
  EPOLLET,
  EPOLLIN,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
  SOL_SOCKET,
  SO_ERROR,
  allocate,
  getsockopt,
  loop,
  systemError
} from '@it-socks/syscall'
import { deliverAhead } from './by-buffer.ts'
import { beginRelay, endRelay } from './pipes.ts'
import type { End, Relayed } from './relay-descriptors.ts'
import { resetOnClose } from './reset.ts'
import { Side } from './side.ts'

/** What a descriptor has to be watched for before a relay takes it over. */
export const relayedEvents: number = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET

// The value of an option, and its length.
const option = allocate(8)

/** Two sides, and whoever hears of them. */
export class Relay implements Relayed {
  readonly flow: Flow
  readonly client: Side
  readonly target: Side
  over = false
  /** Whether it has not been returned to its owner yet, who is told of its end later. */
  starting = true
  aborted = false

  constructor(client: number, target: number, flow: Flow) {
    this.flow = flow
    this.client = new Side(client, this, 'up')
    this.target = new Side(target, this, 'down')
    this.client.peer = this.target
    this.target.peer = this.client
  }

  start(client: End, target: End): void {
    beginRelay()
    try {
      this.watch(this.client, client)
      this.watch(this.target, target)
    } catch (error) {
      this.fail(error)
    }
    this.begin(this.client, client)
    this.begin(this.target, target)
    this.starting = false
  }

  abort(_reason: unknown): void {
    this.aborted = true
    if (!this.over) this.reset()
  }

  /** Both directions are over. */
  end(): void {
    this.close()
    this.tell(() => this.flow.ended())
  }

  fail(error: unknown): void {
    if (this.over) return
    this.reset()
    this.tell(() => this.flow.failed(error))
  }

  /** Fails by the error that the kernel has for a side. */
  failOf(side: Side): void {
    if (this.over) return
    option.view.setInt32(4, 4, true)
    getsockopt(side.fd, SOL_SOCKET, SO_ERROR, option.address, option.address + 4)
    this.fail(systemError(-(option.view.getInt32(0, true) || ECONNRESET), 'recv'))
  }

  /** The first event tells all that holds; of what was watched before, nobody tells it again. */
  private watch(side: Side, { readable = true, urgent = false }: End): void {
    if (loop.pass(side.fd, side)) {
      side.readable = readable
      side.thorough = readable
      side.urgent = urgent
    } else loop.watch(side.fd, relayedEvents, side)
  }

  private begin(side: Side, { ahead, ended = false }: End): void {
    if (this.over) return
    if (ahead !== undefined) deliverAhead(side, ahead)
    if (ended) side.stage = 'ending'
    side.pump()
  }

  private reset(): void {
    resetOnClose(this.client.fd)
    resetOnClose(this.target.fd)
    this.close()
  }

  private close(): void {
    this.over = true
    this.client.clear()
    this.target.clear()
    loop.close(this.client.fd)
    loop.close(this.target.fd)
    endRelay()
  }

  private tell(act: () => void): void {
    if (!this.starting) return act()
    queueMicrotask(() => {
      if (!this.aborted) act()
    })
  }
}

keepSpecimens(new Relay(-1, -1, { passed() {}, ended() {}, failed() {} }))
