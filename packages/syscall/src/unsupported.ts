/** This machine cannot do it: no Linux, or no koffi for its processor. */
export class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError'
  readonly code = 'ERR_SOCKS_UNSUPPORTED'
}
