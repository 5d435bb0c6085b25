import { stage, type Granted, type Stage } from '@it-socks/stage'
import { readGranted } from './read-granted.ts'

/**
 * Waits for the second reply of a BIND (RFC 1928 section 4): somebody connected, and `bound` is their address. Comes
 * after an `ask` for BIND, whose `bound` is where they were to connect. What they say first, glued to the reply or not,
 * stays for whoever comes next.
 *
 * The stage throws as `ask` does: a `RefusedError` where nobody came in time for example, a `ProxyClosedError` where the
 * proxy hung up.
 *
 * @example
 *
 * ```ts
 * import { accepted, ask } from '@it-socks/command'
 * import { compose, observe, type Granted } from '@it-socks/stage'
 *
 * const bind = compose(
 *   ask({ command: 'bind', destination: { host: '192.0.2.9', port: 20 } }),
 *   observe<Granted>(({ bound }) => console.log('connect to', bound)),
 *   accepted()
 * )
 * ```
 */
export const accepted = (): Stage<unknown, Granted> =>
  stage<unknown, Granted>(async ({ frames }) => {
    return readGranted(frames)
  })
