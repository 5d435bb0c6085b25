/** A stream of libuv, as Node has it below its sockets: TCP or a pipe. What it has no name for has none on this system. */
export interface Handle {
  /** Its descriptor; negative once it is closed, and missing on Windows. */
  readonly fd?: number
  /** Whom it belongs to: it is told of what comes. */
  owner?: object
  /** Called when something has come; how much, `received` tells. */
  onread: (this: Handle) => void
  /** Has it read into this memory. */
  useUserBuffer(buffer: Uint8Array): void
  readStart(): number
  readStop(): number
  /** Writes now what there is room for, and the rest later; `wroteLater` tells whether it is not over yet. */
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number
  shutdown(request: Request): number
  close(closed?: () => void): void
}

/** A handle of TCP. */
export interface TcpHandle extends Handle {
  /** Closes it with a reset. Only where no `shutdown` is under way: it would never be closed. */
  reset(closed?: () => void): number
  setNoDelay(on: boolean): number
  bind(ip: string, port: number): number
  bind6(ip: string, port: number, flags: number): number
  connect(request: Request, ip: string, port: number): number
  connect6(request: Request, ip: string, port: number): number
  getsockname(name: Partial<SocketName>): number
  getpeername(name: Partial<SocketName>): number
}

export interface SocketName {
  address: string
  port: number
}

/** Something under way. It belongs to whoever is told of its end, with a negative error number or 0. */
export interface Request {
  oncomplete: (this: this, status: number) => void
  owner?: object
}

export interface WriteRequest extends Request {
  /** What is being written: nobody else keeps it. */
  bytes?: Uint8Array
}

/** What there is of libuv in Node, as far as we use it. */
export interface Libuv {
  readonly Tcp: new (type: number) => TcpHandle
  readonly Connect: new () => Request
  readonly Write: new () => WriteRequest
  readonly Shutdown: new () => Request
  /** The type of a handle that connects. */
  readonly socket: number
  /** What the last `onread` is about: so many bytes, or a negative error number. */
  received(): number
  /** Whether the last `writeBuffer` is not over yet. */
  wroteLater(): boolean
}

/** The end of what comes, as an error number: the same on all systems. */
export const UV_EOF = -4095

interface TcpWrap {
  readonly TCP: Libuv['Tcp']
  readonly TCPConnectWrap: Libuv['Connect']
  readonly constants: { readonly SOCKET: number }
}

interface StreamWrap {
  readonly ShutdownWrap: Libuv['Shutdown']
  readonly WriteWrap: Libuv['Write']
  readonly streamBaseState: Int32Array
  readonly kReadBytesOrError: number
  readonly kLastWriteWasAsync: number
}

type Binding = (name: string) => unknown

/**
 * What Node's own sockets are made of. It is no public part of Node: `process.binding` is deprecated (DEP0111), and does
 * not exist elsewhere or with Node's permission model. So whoever uses it can do without.
 */
const find = (): Libuv | undefined => {
  const { binding } = process as { binding?: Binding }
  if (binding === undefined) return undefined
  try {
    const { TCP, TCPConnectWrap, constants } = binding('tcp_wrap') as TcpWrap
    const { ShutdownWrap, WriteWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = binding(
      'stream_wrap'
    ) as StreamWrap
    const { prototype } = TCP
    const isWhole =
      [TCP, TCPConnectWrap, ShutdownWrap, WriteWrap].every((made) => typeof made === 'function') &&
      typeof constants.SOCKET === 'number' &&
      streamBaseState.length > Math.max(kReadBytesOrError, kLastWriteWasAsync) &&
      methods.every((name) => typeof prototype[name] === 'function')
    if (!isWhole) return undefined
    return {
      Tcp: TCP,
      Connect: TCPConnectWrap,
      Write: WriteWrap,
      Shutdown: ShutdownWrap,
      socket: constants.SOCKET,
      received: () => streamBaseState[kReadBytesOrError]!,
      wroteLater: () => streamBaseState[kLastWriteWasAsync] !== 0
    }
  } catch {
    return undefined
  }
}

const methods = [
  'useUserBuffer',
  'readStart',
  'readStop',
  'writeBuffer',
  'shutdown',
  'close',
  'reset',
  'setNoDelay',
  'bind',
  'bind6',
  'connect',
  'connect6',
  'getsockname',
  'getpeername'
] as const satisfies ReadonlyArray<keyof TcpHandle>

/** What there is of libuv in this Node; nothing where that is not what we know. */
export const libuv: Libuv | undefined = find()
