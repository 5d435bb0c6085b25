/** Makes an error an uncaught exception, once all of this batch has been told: others must not lose their turn by it. */
export const uncaught = (error: unknown): void =>
  process.nextTick(() => {
    throw error
  })
