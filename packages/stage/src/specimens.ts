const kept: object[] = []

/**
 * Keeps objects for as long as the process runs: specimens, of classes whose instances come and go with connections.
 *
 * When the last object of its shape is collected V8 forgets that shape (its hidden class), and throws away what it has compiled
 * for it; and it collects when nothing has happened for some ten seconds. A server would have to compile everything anew
 * after each quiet spell, and its first thousands of connections would cost more than twice as much.
 */
export const keepSpecimens = (...specimens: readonly object[]): void => {
  kept.push(...specimens)
}
