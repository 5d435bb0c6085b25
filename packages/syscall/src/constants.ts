/** What the kernel calls its numbers, as x86-64 and arm64 have them (include/uapi/linux, asm-generic). */

export const AF_UNIX = 1
export const AF_INET = 2
export const AF_INET6 = 10

export const SOCK_STREAM = 1
export const SOCK_DGRAM = 2
export const SOCK_NONBLOCK = 0o4000
export const SOCK_CLOEXEC = 0o2000000

export const SOL_SOCKET = 1
export const SO_REUSEADDR = 2
export const SO_ERROR = 4
export const SO_SNDBUF = 7
export const SO_RCVBUF = 8
export const SO_LINGER = 13
export const SO_REUSEPORT = 15
export const IPPROTO_TCP = 6
export const TCP_NODELAY = 1
export const IPPROTO_IPV6 = 41
export const IPV6_V6ONLY = 26

export const MSG_OOB = 0x1
export const MSG_DONTWAIT = 0x40
export const MSG_NOSIGNAL = 0x4000
export const MSG_TRUNC = 0x20

export const SHUT_WR = 1

export const EPOLLIN = 0x1
export const EPOLLPRI = 0x2
export const EPOLLOUT = 0x4
export const EPOLLERR = 0x8
export const EPOLLHUP = 0x10
export const EPOLLRDHUP = 0x2000
export const EPOLLET = 0x80000000

export const SPLICE_F_MOVE = 1
export const SPLICE_F_NONBLOCK = 2
export const SPLICE_F_MORE = 4

export const O_NONBLOCK = 0o4000
export const O_CLOEXEC = 0o2000000

export const F_DUPFD_CLOEXEC = 1030
export const F_SETPIPE_SZ = 1031

export const EINTR = 4
export const EAGAIN = 11
export const EINVAL = 22
export const EMFILE = 24
export const ENFILE = 23
export const ENOBUFS = 105
export const ENOMEM = 12
export const EINPROGRESS = 115
export const ECONNABORTED = 103
export const ECONNRESET = 104
export const EPIPE = 32
