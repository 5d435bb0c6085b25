/** Bytes in one piece, or in several that follow each other. */
export type Pieces = Uint8Array | readonly Uint8Array[]

/** How many bytes that are. */
export const lengthOf = (pieces: Pieces): number =>
  pieces instanceof Uint8Array ? pieces.length : pieces.reduce((length, piece) => length + piece.length, 0)

/** Copies them to some place of `bytes`. */
export const copyPieces = (pieces: Pieces, bytes: Uint8Array, start = 0): void => {
  if (pieces instanceof Uint8Array) return bytes.set(pieces, start)
  let at = start
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
}

/** A copy of them, in one piece. */
export const joined = (pieces: Pieces): Uint8Array => {
  const bytes = new Uint8Array(lengthOf(pieces))
  copyPieces(pieces, bytes)
  return bytes
}
