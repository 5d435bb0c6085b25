import type { AuthMethod } from './method.ts'

/** The identity of a client that nobody asked for one. */
export interface Anonymous {
  readonly method: 'none'
}

/**
 * Method 0x00, "no authentication required" (RFC 1928 section 3), for servers and clients.
 *
 * @example
 *
 * ```ts
 * import { authenticate, none } from '@it-socks/auth'
 *
 * const open = authenticate([none()])
 * ```
 */
export const none = (): AuthMethod<Anonymous> => ({
  id: 0x00,
  name: 'none',
  server: () => ({ identity: { method: 'none' } }),
  client: () => ({})
})
