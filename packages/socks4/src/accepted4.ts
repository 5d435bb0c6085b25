import { stage, type Granted, type Stage } from '@it-socks/stage'
import { readGranted4 } from './read-granted4.ts'

/**
 * Waits for the second reply to a SOCKS4 BIND: somebody connected, and `bound` is their address. Comes after an `ask4`
 * for BIND, whose `bound` is where they were to connect. What they say first, glued to the reply or not, stays for
 * whoever comes next.
 *
 * The stage throws as `ask4` does.
 *
 * @example
 *
 * ```ts
 * import { accepted4, ask4 } from '@it-socks/socks4'
 * import { compose, observe, type Granted } from '@it-socks/stage'
 *
 * const bind = compose(
 *   ask4({ command: 'bind', destination: { host: '192.0.2.9', port: 20 } }),
 *   observe<Granted>(({ bound }) => console.log('connect to', bound)),
 *   accepted4()
 * )
 * ```
 */
export const accepted4 = (): Stage<unknown, Granted> =>
  stage<unknown, Granted>(async function* ({ frames }) {
    return readGranted4(frames)
  })
