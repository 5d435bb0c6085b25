import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { createConnection } from 'node:net'
import type { Endpoint } from '@it-socks/net'
import { Failure } from '../failure.ts'
import { formatEndpoint } from './endpoint.ts'

type Reasons = Readonly<Record<string, string>>

const reasons: Reasons = { EADDRINUSE: 'it is taken', ENOTFOUND: 'the name cannot be resolved' }

const portReasons: Reasons = {
  ...reasons,
  EACCES: 'not permitted; a port below 1024 may need privileges',
  EADDRNOTAVAIL: 'not an address of this machine'
}

const pathReasons: Reasons = {
  ...reasons,
  // What libuv also says where the directory does not exist.
  EACCES: 'not permitted, or no such directory'
}

/** The server cannot listen. */
export class ListenFailure extends Failure {
  override readonly name = 'ListenFailure'
  override readonly exitCode = 1
}

/** What listening fails with: where it was tried, as far as the system says so. */
type ListenError = NodeJS.ErrnoException & { readonly address?: string; readonly port?: number }

/** Says which of these endpoints could not be listened on, and why. */
export const listenFailure = async (endpoints: readonly Endpoint[], cause: ListenError): Promise<ListenFailure> => {
  // The error has no port where that was 0, -1 where it is about a unix socket.
  const { code = cause.message, address, port = 0 } = cause
  const failed = endpoints.filter((endpoint) =>
    'path' in endpoint ? endpoint.path === address : endpoint.host === address && endpoint.port === port
  )
  const where = (failed.length > 0 ? failed : endpoints).map(formatEndpoint).join(', ')
  const [path] = failed.flatMap((endpoint) => ('path' in endpoint ? [endpoint.path] : []))
  const reason =
    path === undefined ? portReasons[code] : code === 'EADDRINUSE' ? await inTheWay(path) : pathReasons[code]
  return new ListenFailure(`cannot listen on ${where}: ${reason === undefined ? code : `${reason} (${code})`}`, {
    cause
  })
}

/** What keeps a unix socket from being made: somebody who listens, a socket that nobody removed, or another file. */
const inTheWay = async (path: string): Promise<string> => {
  try {
    if (!(await stat(path)).isSocket()) return 'there is a file that is no socket'
    await askWhoListens(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') {
      return 'a socket is left over there on which nobody listens: remove it'
    }
  }
  return 'it is taken'
}

/** Resolves where somebody listens, rejects with ECONNREFUSED where nobody does. */
const askWhoListens = async (path: string): Promise<void> => {
  const socket = createConnection(path)
  try {
    await once(socket, 'connect')
  } finally {
    socket.destroy()
  }
}
