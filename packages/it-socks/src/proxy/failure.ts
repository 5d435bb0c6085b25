import {
  AuthenticationError,
  DeadlineError,
  InvalidAddressError,
  NoAcceptableMethodError,
  ProxyClosedError,
  ProxyUnreachableError,
  RefusedError,
  TooLongError,
  UnresolvableError,
  formatAddress,
  unspecified,
  type Address,
  type RefusalName
} from '@it-socks/protocol'
import type { Proxy } from '@it-socks/client'
import { Failure } from '../failure.ts'
import { formatProxy } from './proxy.ts'

/** What the proxy is to do for us. */
type Task = 'connect' | 'listen' | 'wait' | 'udp'

/** What was to be, for words about it. */
export interface Way {
  readonly proxy: Proxy
  readonly target: Address
  readonly task: Task
}

/** The connection failed, or broke; the message says at which end, on one line. */
export class ConnectFailure extends Failure {
  override readonly name = 'ConnectFailure'
  override readonly exitCode = 1
}

const tasks: Readonly<Record<Task, (target: Address) => string>> = {
  connect: (target) => `connect to ${formatAddress(target)}`,
  listen: (target) => `listen for ${formatPeer(target)}`,
  wait: (target) => `wait for ${formatPeer(target)} any longer`,
  udp: () => 'relay UDP'
}

const formatPeer = ({ host }: Address): string => (host === unspecified.host ? 'anybody' : host)

/** Replies to CONNECT that tell of the target; with the others it is the proxy that will not or cannot. */
const ofTarget: ReadonlySet<RefusalName> = new Set([
  'network-unreachable',
  'host-unreachable',
  'connection-refused',
  'ttl-expired'
])

/** Says at which end it failed. */
export const connectFailure = (error: unknown, way: Way): Failure =>
  error instanceof Failure ? error : new ConnectFailure(explain(error, way), { cause: error })

/** Says that a connection broke after it was there. */
export const brokenFailure = (error: unknown, { proxy, target }: Way): Failure =>
  error instanceof Failure
    ? error
    : new ConnectFailure(
        `the connection to ${formatAddress(target)} through the proxy ${formatProxy(proxy)} broke: ${inShort(error)}`,
        { cause: error }
      )

const explain = (error: unknown, way: Way): string => {
  const proxy = formatProxy(way.proxy)
  const target = formatAddress(way.target)
  if (error instanceof ProxyUnreachableError) return `${error.message}: ${inShort(error.cause)}`
  if (error instanceof DeadlineError) {
    const slow = way.task === 'connect' ? `the proxy ${proxy} or the target ${target}` : `the proxy ${proxy}`
    return `${slow} is too slow: ${error.message}`
  }
  if (error instanceof UnresolvableError) {
    const remote = way.proxy.version === 4 ? 'socks4a' : 'socks5h'
    return `the target ${target} cannot be resolved here; with ${remote}:// the proxy resolves it`
  }
  if (error instanceof RefusedError) {
    return way.task === 'connect' && ofTarget.has(error.reply)
      ? `the target ${target} cannot be reached from the proxy ${proxy}: ${error.message}`
      : `the proxy ${proxy} refuses to ${tasks[way.task](way.target)}: ${error.message}`
  }
  // What SOCKS, or this version of it, has no room for.
  if (error instanceof InvalidAddressError || error instanceof TooLongError) {
    return `the proxy ${proxy} cannot be asked for this: ${error.message}`
  }
  if (error instanceof NoAcceptableMethodError && way.proxy.username === undefined) {
    return `the proxy ${proxy} does not let us in without a user name and password`
  }
  if (error instanceof NoAcceptableMethodError || error instanceof AuthenticationError) {
    return `the proxy ${proxy} does not let us in: ${error.message.replace(/^the proxy/, 'it')}`
  }
  if (error instanceof ProxyClosedError) return error.message.replace(/^the proxy/, `the proxy ${proxy}`)
  return `the proxy ${proxy} failed: ${inShort(error)}`
}

/** What lies at the bottom of an error: the system's code, or a message. */
const inShort = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const { code, syscall, message, cause } = error as NodeJS.ErrnoException
  if (syscall !== undefined && code !== undefined) return code
  return cause === undefined ? message : inShort(cause)
}
