import { SOL_SOCKET, SO_ERROR, SO_LINGER, allocate, getsockopt, setsockopt } from '@it-socks/syscall'

const little = true
const value = allocate(4)
const length = allocate(4)
/** `struct linger`: on, for 0 seconds. */
const atOnce = allocate(8)
atOnce.view.setInt32(0, 1, little)

/** Sets an option that is a number; returns 0, or a negative errno. */
export const setOption = (fd: number, level: number, name: number, to: number): number => {
  value.view.setInt32(0, to, little)
  return setsockopt(fd, level, name, value.address, 4)
}

/** Has a TCP socket reset its connection when it is closed. */
export const resetOnClose = (fd: number): void => {
  setsockopt(fd, SOL_SOCKET, SO_LINGER, atOnce.address, 8)
}

/** What went wrong with a socket, as a negative errno, and 0 from then on. */
export const takeError = (fd: number): number => {
  length.view.setUint32(0, 4, little)
  const result = getsockopt(fd, SOL_SOCKET, SO_ERROR, value.address, length.address)
  return result < 0 ? result : -value.view.getInt32(0, little)
}
