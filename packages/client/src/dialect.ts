import { login, type ClientMethod } from '@it-socks/auth'
import { accepted, ask } from '@it-socks/command'
import { ConfigurationError, type Request } from '@it-socks/protocol'
import { accepted4, ask4 } from '@it-socks/socks4'
import { compose, type Granted, type Stage } from '@it-socks/stage'

/** What a client says to a proxy, in one version of SOCKS. */
export interface Dialect {
  /** The only family of addresses that can be asked for. */
  readonly family: 4 | undefined
  /**
   * Says who we are, asks, and reads the reply.
   *
   * @throws {SocksError} at once, for what cannot be asked in this version, or not be written
   */
  ask(request: Request): Stage<{}, Granted>
  /** Reads the second reply to a BIND: `bound` is the address of the peer that came. */
  accepted(): Stage<{}, Granted>
}

export const socks5 = (methods: readonly ClientMethod[]): Dialect => ({
  family: undefined,
  ask: (request) => compose(login(methods), ask(request)),
  accepted
})

export const socks4 = (userId = ''): Dialect => ({
  family: 4,
  ask(request) {
    const { command } = request
    if (command === 'connect' || command === 'bind') return ask4(request, { userId })
    throw new ConfigurationError(`SOCKS4 has no ${spelled[command]}: use a SOCKS5 proxy`)
  },
  accepted: accepted4
})

const spelled = { udpAssociate: 'UDP ASSOCIATE', resolve: 'RESOLVE', resolvePtr: 'RESOLVE_PTR' } as const
