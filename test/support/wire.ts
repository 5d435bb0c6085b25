import { hex } from '@it-socks/testing'

/** A client that says everything at once: a greeting, a CONNECT to a port of 127.0.0.1, and early data. */
export const connectRequest = (port: number, early = ''): Uint8Array =>
  hex`05 01 00  05 01 00 01 7f 00 00 01 ${Uint8Array.of(port >> 8, port & 0xff)} ${early}`

/** What our server answers to that, but for BND.PORT and what the target says. */
export const connectReply: Uint8Array = hex`05 00  05 00 00 01 7f 00 00 01`
