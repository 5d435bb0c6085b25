/** Three values: what is `undefined` cannot be known yet. */
export type Truth = boolean | undefined

/** Whether `test` holds for one of them at least. */
export const some = <T>(all: readonly T[], test: (one: T) => Truth): Truth => {
  let result: Truth = false
  for (const one of all) {
    const truth = test(one)
    if (truth === true) return true
    if (truth === undefined) result = undefined
  }
  return result
}

/** Whether `test` holds for all of them. */
export const every = <T>(all: readonly T[], test: (one: T) => Truth): Truth => {
  let result: Truth = true
  for (const one of all) {
    const truth = test(one)
    if (truth === false) return false
    if (truth === undefined) result = undefined
  }
  return result
}
