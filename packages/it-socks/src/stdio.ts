import { fstatSync, createWriteStream } from 'node:fs'
import { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { WriteStream, isatty } from 'node:tty'
import type { Bytes, ByteDuplex } from '@it-socks/stage'
import { Failure } from './failure.ts'

const stdout = 1

/** What was said cannot be written: the reader is gone (EPIPE), or the disk is full. */
class StdoutFailure extends Failure {
  override readonly name = 'StdoutFailure'
  override readonly exitCode = 1

  constructor(cause: unknown) {
    const { code, message } = cause as NodeJS.ErrnoException
    super(code === 'EPIPE' ? 'nobody reads stdout any more (EPIPE)' : `stdout: ${message}`, { cause })
  }
}

/** Stdin and stdout as one duplex. */
export interface Stdio extends ByteDuplex {
  readonly source: AsyncIterable<Uint8Array>
  /** Writes to stdout ahead of `sink`; resolves when it is written. Rejects with a `StdoutFailure`. */
  print(data: string | Uint8Array): Promise<void>
}

/** Opens stdout; nothing is read from stdin before somebody asks for it. */
export const stdio = (): Stdio => {
  const input = process.stdin
  const output = openStdout()
  return {
    source: input,
    print: (data) =>
      new Promise((resolve, reject) => {
        const failed = (error: Error): void => reject(new StdoutFailure(error))
        output.once('error', failed).write(data, (error) => {
          // Where it failed, the event is yet to come.
          if (error != null) return failed(error)
          output.off('error', failed)
          resolve()
        })
      }),
    async sink(source) {
      let lost: unknown
      const chunks = bytesOf(source, (error) => {
        lost = error
      })
      try {
        await pipeline(chunks, output)
      } catch (error) {
        throw error === lost ? error : new StdoutFailure(error)
      }
    },
    abort(reason) {
      const error = reason instanceof Error ? reason : new Error(String(reason))
      // Both directions have their own way to tell of it.
      input.on('error', () => {}).destroy(error)
      output.on('error', () => {}).destroy(error)
    }
  }
}

/**
 * Node's own `process.stdout` is never closed before the process ends; whoever reads from us needs to see the end as
 * soon as the target has nothing more to say.
 */
const openStdout = (): Writable => {
  if (isatty(stdout)) return new WriteStream(stdout)
  const kind = fstatSync(stdout)
  if (kind.isFIFO() || kind.isSocket()) return new Socket({ fd: stdout, readable: false, writable: true })
  return createWriteStream('', { fd: stdout })
}

const bytesOf = async function* (
  source: AsyncIterable<Bytes>,
  onError: (error: unknown) => void
): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const bytes of source) yield bytes.subarray()
  } catch (error) {
    onError(error)
    throw error
  }
}
