import type { RelaySockets } from '@it-socks/command'
import type { ServerMethod } from '@it-socks/auth'
import type { Endpoint, Engine } from '@it-socks/net'
import type { CommandName } from '@it-socks/protocol'
import type { Rule } from '@it-socks/rules'
import type { Socks4Options } from '@it-socks/socks4'
import type { Binder, DatagramBinder, Dial, Resolve, ReverseResolve } from '@it-socks/stage'

export interface ServerOptions {
  /** Where to listen. Default: 127.0.0.1:1080. */
  listen?: Endpoint | readonly Endpoint[]
  /**
   * How connections are had: `portable` of `@it-socks/net`, `splice()` of `@it-socks/splice`, `epoll()` of
   * `@it-socks/epoll`, or one of your own. Default: `portable`.
   */
  engine?: Engine
  /**
   * Lets servers in other threads and processes of this user listen at the same address: the system spreads connections over
   * them (SO_REUSEPORT). Default: false.
   */
  reusePort?: boolean
  /** Authentication methods in order of preference. Default: `[none()]`. */
  methods?: readonly ServerMethod[]
  /**
   * SOCKS4 and 4a on the same port, whose clients say a user id and prove nothing; `admit` says which may come in. `false`
   * is SOCKS5 only. Default: everybody may where no SOCKS5 client has to authenticate, or can; else nobody, for a user id
   * would pass for a user.
   */
  socks4?: false | Socks4Options
  /** Serves everybody on addresses that are not loopback: an open proxy. Default: false. */
  allowAnonymous?: boolean
  /**
   * What clients may ask for. Default: `connect`, `bind` and `udpAssociate`. Tor's `resolve` and `resolvePtr` are there for
   * the asking.
   */
  commands?: readonly CommandName[]
  /**
   * Who may reach what; the first that matches decides. Ahead of them are one that keeps the server from connecting to
   * itself, and `privateNetworks` unless `allowPrivate`. Default: none.
   */
  rules?: readonly Rule[]
  /** What becomes of requests that no rule matches. Default: `deny` where one of `rules` allows something, else `allow`. */
  otherwise?: 'allow' | 'deny'
  /** Lets clients that are not on loopback reach loopback and private networks. Default: false. */
  allowPrivate?: boolean
  /** How names become addresses, for every command. Default: `systemResolve()`. */
  resolve?: Resolve
  /** How addresses become names, for Tor's `resolvePtr`. Default: `systemReverse()`. */
  reverseResolve?: ReverseResolve
  /** How targets are reached. Default: directly, as the engine dials. */
  dial?: Dial
  /** Where to listen for BIND. Default: the engine's `binder()`. */
  binder?: Binder
  /** Where to open sockets for UDP ASSOCIATE. Default: the engine's `datagramBinder()`. */
  datagramBinder?: DatagramBinder
  /**
   * Knows the UDP relay sockets of all servers on this machine, where there are several: two associations that took each
   * other for clients would never end. Default: those of this server.
   */
  relays?: RelaySockets
  /**
   * The IP address that others know this machine by, where it is behind NAT: BIND and UDP ASSOCIATE tell it to clients in
   * place of their own that are not loopback. Default: none.
   */
  publicHost?: string
  /** How many clients may be connected at a time; more are reset. Default: as many as the system allows. */
  maxConnections?: number
  /** How long a client may take from connecting to the end of its request, in milliseconds. Default: 10,000. */
  handshakeTimeout?: number
  /**
   * How long it may take to reach a target, in milliseconds, whatever the `dial`. The client is then told "TTL expired".
   * Default: 30,000.
   */
  connectTimeout?: number
  /** How long a BIND waits for the connection, in milliseconds. Default: 60,000. */
  bindTimeout?: number
  /** How long nothing may go either way through a relay or an association, in milliseconds. Default: 300,000. */
  idleTimeout?: number
}
