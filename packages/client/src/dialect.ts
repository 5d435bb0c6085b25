import { login, type ClientMethod } from '@it-socks/auth'
import { accepted, ask } from '@it-socks/command'
import { ConfigurationError, type Request } from '@it-socks/protocol'
import { accepted4, ask4 } from '@it-socks/socks4'
import { compose, type Granted, type Stage } from '@it-socks/stage'

/** What a client says to a proxy, in one version of SOCKS. */
export interface Dialect {
  /** The only family of addresses that it is worth to resolve names to. */
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

/** @param version what the proxy knows: `4a` has domains, `4` IPv4 addresses alone */
export const socks4 = (userId: string, version: '4' | '4a'): Dialect => ({
  family: 4,
  ask(request) {
    const { command, destination } = request
    if (command === 'connect' || command === 'bind') return ask4({ command, destination }, { userId, version })
    throw new ConfigurationError(`SOCKS4 has no ${spelled[command]}: use a SOCKS5 proxy`)
  },
  accepted: accepted4
})

const spelled = { udpAssociate: 'UDP ASSOCIATE', resolve: 'RESOLVE', resolvePtr: 'RESOLVE_PTR' } as const
