import { SPLICE_F_MOVE, SPLICE_F_NONBLOCK, splice } from '@it-socks/syscall'
import { carry } from './by-buffer.ts'
import { discardPipe, pipeSize, returnPipe, takePipe } from './pipes.ts'
import type { Side } from './side.ts'

const moving = SPLICE_F_MOVE | SPLICE_F_NONBLOCK

/** Reads into a pipe, which is empty. Returns how much came. */
export const fill = (side: Side): number => {
  side.pipe ??= takePipe()
  if (side.pipe === undefined) {
    side.bulk = false
    return carry(side)
  }
  const came = splice(side.fd, side.pipe.entry, pipeSize, moving)
  if (came <= 0) return side.came(came, 'splice')
  side.piped = came
  side.weigh(came, false)
  side.relay.flow.passed(side.direction, came)
  return came
}

/** Writes what is in the pipe. Returns whether nothing is any more. */
export const deliverPiped = (side: Side): boolean => {
  const { peer } = side
  while (side.piped > 0) {
    if (!peer.writable) return false
    const moved = splice(side.pipe!.exit, peer.fd, side.piped, moving)
    if (moved > 0) side.piped -= moved
    else if (!peer.refused(moved, 'splice')) return false
  }
  return true
}

/** Gives an empty pipe back to whoever needs one. */
export const returnEmptyPipe = (side: Side): void => {
  if (side.pipe === undefined || side.piped > 0) return
  returnPipe(side.pipe)
  side.pipe = undefined
}

/** Forgets what is on its way. */
export const forgetPiped = (side: Side): void => {
  if (side.pipe !== undefined) discardPipe(side.pipe)
  side.pipe = undefined
}
