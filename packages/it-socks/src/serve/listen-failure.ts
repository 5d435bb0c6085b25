import type { Endpoint } from '@it-socks/net'
import { Failure } from '../failure.ts'
import { formatEndpoint } from './endpoint.ts'

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'it is taken',
  // What libuv also says of a unix socket whose directory does not exist.
  EACCES: 'not permitted, or no such directory',
  EADDRNOTAVAIL: 'not an address of this machine',
  ENOTFOUND: 'the name cannot be resolved'
}

/** The server cannot listen. */
export class ListenFailure extends Failure {
  override readonly name = 'ListenFailure'
  override readonly exitCode = 1

  constructor(endpoints: readonly Endpoint[], cause: NodeJS.ErrnoException & { address?: string; port?: number }) {
    const { code = cause.message, address, port } = cause
    const failed = endpoints.filter((endpoint) =>
      'path' in endpoint ? endpoint.path === address : endpoint.host === address && endpoint.port === port
    )
    const where = (failed.length > 0 ? failed : endpoints).map(formatEndpoint).join(', ')
    super(`cannot listen on ${where}: ${reasons[code] === undefined ? code : `${reasons[code]} (${code})`}`, { cause })
  }
}
