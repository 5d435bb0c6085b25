/** Nobody takes anything from there any more. Whatever comes of that, be it that it throws, is nobody's business. */
export const letGo = (iterator: AsyncIterator<unknown>): void => {
  const left = async (): Promise<unknown> => iterator.return?.()
  left().catch(() => {})
}
