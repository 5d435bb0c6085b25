import {
  RefusedError,
  RuleError,
  addressType,
  canonicalHost,
  formatAddress,
  type Address,
  type CommandName
} from '@it-socks/protocol'
import { stage, type Authenticated, type Authorized, type Connected, type Requested, type Stage } from '@it-socks/stage'
import { judge, type Judgement } from './judge.ts'
import type { Attempt, Rule, Verdict } from './rule.ts'

export interface AuthorizeOptions {
  /** What becomes of a request that no rule matches. Default: `allow`. */
  otherwise?: Verdict
}

/**
 * Judges the request by rules, of which the first that matches has the word. Comes after `request` (or `socks4`) and before
 * `command`, with `frames({ context: { connection } })`: without them it does not compile, and refuses at run time.
 *
 * Adds `permit`, by which commands have each address judged that a name resolved to, and each datagram, before they have
 * to do with it. What is denied whatever the address is refused at once, and nobody looks up the name.
 *
 * The stage, and `permit`, throw a `RuleError` with the name of the rule that denies. The client is told "not allowed by
 * ruleset" (0x02).
 *
 * @example
 *
 * ```ts
 * import { authenticate, none } from '@it-socks/auth'
 * import { command, connect, request } from '@it-socks/command'
 * import { dial } from '@it-socks/net'
 * import { relay } from '@it-socks/relay'
 * import { authorize, parseRule, privateNetworks } from '@it-socks/rules'
 * import { frames, pipe, type ByteDuplex } from '@it-socks/stage'
 *
 * const rules = [privateNetworks, parseRule('allow to example.com port 80, 443')]
 * const serve = (connection: ByteDuplex) =>
 *   pipe(
 *     connection,
 *     frames({ context: { connection } }),
 *     authenticate([none()]),
 *     request(),
 *     authorize(rules, { otherwise: 'deny' }),
 *     command({ connect: connect(dial()) }),
 *     relay(connection)
 *   )
 * ```
 */
export const authorize = (
  rules: readonly Rule[],
  { otherwise = 'allow' }: AuthorizeOptions = {}
): Stage<Authenticated & Requested & Connected, Authorized> =>
  stage<Authenticated & Requested & Connected, Authorized>(({ context }) => {
    const asked = attemptOf(context)
    // Rules of an earlier stage go on to be asked.
    const { permit: earlier } = context as Partial<Authorized>
    const atRequest = judge(rules, asked, otherwise)
    if (atRequest.verdict === 'deny') throw denied(asked, atRequest)
    return {
      permit({ host, port }, name = host) {
        earlier?.({ host, port }, name)
        // An address that the client has named itself has been judged.
        if (host === asked.ip && isSame(asked.destination, name, port) && atRequest.verdict === 'allow') return
        const { command, identity, client } = asked
        const attempt = { command, identity, client, destination: { host: name, port }, ip: ipOf(host) }
        const judgement = judge(rules, attempt, otherwise)
        // Whoever asks has no address yet where it still depends: it might be any.
        if (judgement.verdict !== 'allow') throw denied(attempt, judgement)
      }
    }
  })

/** Ways to say, in a BIND, that anybody may connect; some clients say `0` for `0.0.0.0`. */
const anybody: ReadonlySet<string> = new Set(['0.0.0.0', '::', '0'])

const attemptOf = (context: Partial<Authenticated & Requested & Connected>): Attempt => {
  if ('tunnel' in context) throw new RefusedError('not-allowed', { message: 'authorize comes before command' })
  const { identity, request, connection } = context
  if (identity === undefined || request === undefined || connection === undefined) {
    throw new RefusedError('not-allowed', {
      message: 'authorize comes after authenticate and request, and frames is told of the connection'
    })
  }
  const { command, destination } = request
  // The destination of UDP ASSOCIATE is the client itself: those of its datagrams are judged one by one.
  const nowhereYet = command === 'udpAssociate' || (command === 'bind' && anybody.has(canonicalHost(destination.host)))
  const client = connection.remoteAddress
  return nowhereYet
    ? { command, identity, client }
    : { command, identity, client, destination, ip: ipOf(destination.host) }
}

const isSame = (destination: Address | undefined, host: string, port: number): boolean =>
  destination?.host === host && destination.port === port

/** The host where it is an IP address, in its one form. */
const ipOf = (host: string): string | undefined => {
  if (addressType(host) === 'ipv4') return host
  const canonical = canonicalHost(host)
  return addressType(canonical) === 'domain' ? undefined : canonical
}

const commands: Readonly<Record<CommandName, string>> = {
  connect: 'CONNECT',
  bind: 'BIND',
  udpAssociate: 'UDP ASSOCIATE',
  resolve: 'RESOLVE',
  resolvePtr: 'RESOLVE_PTR'
}

const denied = (attempt: Attempt, { rule = 'no rule allows it' }: Judgement): RuleError =>
  new RuleError(rule, describe(attempt))

const describe = ({ command, destination, ip }: Attempt): string => {
  if (destination === undefined) return commands[command]
  const address = ip === undefined || ip === canonicalHost(destination.host) ? '' : ` (${ip})`
  return `${commands[command]} ${formatAddress(destination)}${address}`
}
