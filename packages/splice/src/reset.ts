import { SOL_SOCKET, SO_LINGER, allocate, setsockopt } from '@it-socks/syscall'

// struct linger: on, for no time at all.
const linger = allocate(8)
linger.view.setInt32(0, 1, true)

/** Has the peer of a TCP socket told that it is over, and not that it has ended: closing it sends RST. */
export const resetOnClose = (fd: number): void => {
  setsockopt(fd, SOL_SOCKET, SO_LINGER, linger.address, 8)
}
