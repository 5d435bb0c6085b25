const large = 4096
const many = 16

/**
 * Whether no more is to be read until somebody takes what there is. Behind a few small chunks it is: a client that says something
 * while its target is dialled, and resets, is seen to be gone.
 */
export const isEnough = (chunks: readonly Uint8Array[]): boolean =>
  chunks.length >= many || chunks.at(-1)!.length >= large
