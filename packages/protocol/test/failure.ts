import type { RefusalName } from '@it-socks/protocol'
import { expect } from 'vitest'

/** Matches the error of this class name and code that carries this reply. */
export const failure = (name: string, code: string, reply: RefusalName = 'general-failure'): Error =>
  expect.objectContaining({ name, code, reply })
