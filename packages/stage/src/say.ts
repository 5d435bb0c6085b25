import type { Bytes } from './duplex.ts'

/** Says bytes to the peer. Where that gives a promise, too much is waiting already: say no more before it resolves. */
export type Say = (bytes: Bytes) => Promise<void> | undefined
