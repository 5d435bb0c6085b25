import { getSystemErrorName } from 'node:util'

/** An error of the kernel's, as Node has them: `code` (`ECONNRESET` …), `errno` (negative), `syscall`. */
export interface SystemError extends Error {
  readonly code: string
  readonly errno: number
  readonly syscall: string
}

/** Makes an error of the negative number that a system call returned. */
export const systemError = (errno: number, syscall: string): SystemError => {
  const code = getSystemErrorName(errno)
  return Object.assign(new Error(`${syscall} ${code}`), { code, errno, syscall })
}

/** What a system call returned, unless that is an error. @throws {SystemError} */
export const checked = (result: number, syscall: string): number => {
  if (result < 0) throw systemError(result, syscall)
  return result
}
