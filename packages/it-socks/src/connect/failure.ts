import {
  AuthenticationError,
  DeadlineError,
  NoAcceptableMethodError,
  ProxyClosedError,
  ProxyUnreachableError,
  RefusedError,
  UnresolvableError,
  type RefusalName
} from '@it-socks/protocol'
import { Failure } from '../failure.ts'

/** What a connection was to be, for words about it. */
export interface Way {
  /** The proxy, as `host:port`. */
  readonly proxy: string
  /** The target, as `host:port`. */
  readonly target: string
  /** Whether the proxy had a user name and password to try. */
  readonly credentials: boolean
}

/** The connection failed, or broke; the message says at which end, on one line. */
export class ConnectFailure extends Failure {
  override readonly name = 'ConnectFailure'
  override readonly exitCode = 1
}

/** Replies that tell of the target; with the others it is the proxy that will not or cannot. */
const ofTarget: ReadonlySet<RefusalName> = new Set([
  'network-unreachable',
  'host-unreachable',
  'connection-refused',
  'ttl-expired'
])

/** Says at which end connecting failed. */
export const connectFailure = (error: unknown, way: Way): ConnectFailure =>
  new ConnectFailure(explain(error, way), { cause: error })

/** Says that a connection broke after it was there. */
export const brokenFailure = (error: unknown, { proxy, target }: Way): Failure =>
  error instanceof Failure
    ? error
    : new ConnectFailure(`the connection to ${target} through the proxy ${proxy} broke: ${inShort(error)}`, {
        cause: error
      })

const explain = (error: unknown, { proxy, target, credentials }: Way): string => {
  if (error instanceof ProxyUnreachableError) return `${error.message}: ${inShort(error.cause)}`
  if (error instanceof DeadlineError) return `the proxy ${proxy} or the target ${target} is too slow: ${error.message}`
  if (error instanceof UnresolvableError) {
    return `the target ${target} cannot be resolved here; with socks5h:// the proxy resolves it`
  }
  if (error instanceof RefusedError) {
    return ofTarget.has(error.reply)
      ? `the target ${target} cannot be reached from the proxy ${proxy}: ${error.message}`
      : `the proxy ${proxy} refuses to connect to ${target}: ${error.message}`
  }
  if (error instanceof NoAcceptableMethodError && !credentials) {
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
