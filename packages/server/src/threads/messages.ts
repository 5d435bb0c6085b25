import type { Endpoint } from '@it-socks/net'
import type { CloseOptions } from '../server.ts'

/** What a thread is started with. */
export interface ThreadData {
  /** The URL of the module that knows the server's options. */
  readonly module: string
  readonly index: number
  readonly threads: number
  /** What the caller gave for the module. */
  readonly data: unknown
  /** Where the first thread listens; the first itself goes by its options. */
  readonly endpoints: readonly Endpoint[] | undefined
  readonly relays: SharedArrayBuffer
}

/** What a thread is asked to do. */
export type Order = { readonly close: CloseOptions } | { readonly count: number }

/** What a thread has to say. */
export type Report =
  | { readonly listening: readonly Endpoint[] }
  | { readonly failed: ThreadFailure }
  | { readonly counted: number; readonly open: number }

/** An error as it goes from thread to thread, which would else lose all but its message. */
export interface ThreadFailure {
  readonly name: string
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}

export const failureOf = (error: unknown): ThreadFailure => {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), details: {} }
  const { code, errno, syscall, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number }
  return { name: error.name, message: error.message, details: { code, errno, syscall, address, port } }
}

export const errorOf = ({ name, message, details }: ThreadFailure): Error =>
  Object.assign(new Error(message), { name }, details)
