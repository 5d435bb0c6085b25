/** Tells whoever started this process where it listens, and ends with them. */
export const announce = (port: number): void => {
  process.send?.({ port })
  process.on('disconnect', () => process.exit())
}
