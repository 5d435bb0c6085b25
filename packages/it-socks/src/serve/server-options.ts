import { usernamePassword } from '@it-socks/auth'
import type { Endpoint, Engine, PortRange } from '@it-socks/net'
import type { CommandName } from '@it-socks/protocol'
import type { Rule } from '@it-socks/rules'
import type { ServerOptions } from '@it-socks/server'
import { namesResolve, namesReverse, type NamesOptions } from './names.ts'
import type { RuleSource } from './rules.ts'
import { verifyUsers, type User } from './users.ts'

/** What `it-socks serve` is told about the server; times in milliseconds. */
export interface ServerSettings extends NamesOptions {
  /** Default: 127.0.0.1:1080. */
  listen?: readonly Endpoint[]
  user?: readonly User[]
  users?: readonly string[]
  allowAnonymous?: true
  /** Whether SOCKS4 is spoken. */
  socks4: boolean
  /** The user ids that are admitted over SOCKS4. */
  socks4User?: readonly string[]
  commands?: readonly CommandName[]
  /** `--allow`, `--deny` and `--rules`, in their order. */
  rules: readonly RuleSource[]
  allowPrivate?: true
  publicHost?: string
  ports?: PortRange
  maxConnections?: number
  handshakeTimeout: number
  connectTimeout: number
  bindTimeout: number
  idleTimeout: number
}

/** What the server is made of, except where it listens: settings, with what files they name already read. */
export const serverOptions = (
  settings: ServerSettings,
  engine: Engine,
  users: readonly User[],
  rules: readonly Rule[]
): ServerOptions => {
  const { family, ports, socks4, socks4User, maxConnections, commands, publicHost } = settings
  const { handshakeTimeout, connectTimeout, bindTimeout, idleTimeout } = settings
  const resolve = namesResolve(settings)
  return {
    allowAnonymous: settings.allowAnonymous ?? false,
    ...(users.length > 0 && { methods: [usernamePassword({ verify: verifyUsers(users) })] }),
    ...(!socks4 && { socks4 }),
    ...(socks4User && { socks4: { admit: (userId: string) => socks4User.includes(userId) } }),
    ...(commands && { commands }),
    rules,
    allowPrivate: settings.allowPrivate ?? false,
    resolve,
    reverseResolve: namesReverse(settings),
    // The server's own deadline is what connecting has.
    dial: engine.dial({ resolve, timeout: Infinity, ...(family && { family }) }),
    ...(ports && { binder: engine.binder({ ports }), datagramBinder: engine.datagramBinder({ ports }) }),
    ...(publicHost !== undefined && { publicHost }),
    ...(maxConnections !== undefined && { maxConnections }),
    handshakeTimeout,
    connectTimeout,
    bindTimeout,
    idleTimeout
  }
}
