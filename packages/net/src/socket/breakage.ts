import { ClosedError } from '@it-socks/protocol'

/** Why a socket broke, once it has: shared by its two directions. */
export interface Breakage {
  error?: unknown
}

/** The reason, or that it was closed without one. */
export const breakage = (broken: Breakage): unknown => (broken.error ??= new ClosedError())
