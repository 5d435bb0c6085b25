/** Calls one of several: where it throws that is an uncaught exception, as of any listener, and the others have their turn. */
export const attempt = (act: () => void): void => {
  try {
    act()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
