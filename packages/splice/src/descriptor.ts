import { F_DUPFD_CLOEXEC, fcntl } from '@it-socks/syscall'

/** Another descriptor of the same socket, or a negative errno: there may be no more descriptors. */
export const duplicate = (fd: number): number => fcntl(fd, F_DUPFD_CLOEXEC, 0)
