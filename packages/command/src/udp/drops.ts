/**
 * Why a datagram of an association was dropped:
 *
 * - `malformed`: the client's header is none, or names port 0;
 * - `fragment`: a fragment that came out of order, too late, again, or with too many others;
 * - `stranger`: of a peer, while the client's port is not yet known;
 * - `not-allowed`: rules say no;
 * - `unresolvable`: its domain has no address;
 * - `congested`: too much waits already for names to be resolved and sockets to open;
 * - `too-large`: with its header it is more than UDP carries;
 * - `unsent`: the system would not send it, or not open the socket that it takes.
 */
export type DropReason = (typeof reasons)[number]

const reasons = [
  'malformed',
  'fragment',
  'stranger',
  'not-allowed',
  'unresolvable',
  'congested',
  'too-large',
  'unsent'
] as const

/** Counts what is dropped. */
export interface Drops {
  readonly dropped: Readonly<Record<DropReason, number>>
  readonly drop: (reason: DropReason, datagrams?: number) => void
}

export const countDrops = (): Drops => {
  const dropped = Object.fromEntries(reasons.map((reason) => [reason, 0])) as Record<DropReason, number>
  return {
    dropped,
    drop(reason, datagrams = 1) {
      dropped[reason] += datagrams
    }
  }
}
