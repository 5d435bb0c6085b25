import { connect } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { inspect } from 'node:util'
import { createServer, type ServerOptions, type Session } from '@it-socks/server'
import { chunked, everyChunking, toHex, type Chunking } from '@it-socks/testing'
import { expect, it, onTestFinished } from 'vitest'
import { makeOutside } from './outside.ts'

/** A conversation with a server, to its end: what the client says, and all that comes of it. */
export interface Case {
  /** What is guarded. */
  readonly name: string
  /** All that the client says. */
  readonly says: Uint8Array
  /** Whether the client half-closes then. Default: it waits for the server to. */
  readonly leaves?: boolean
  /** All that the server answers, before it closes. */
  readonly hears: Uint8Array
  /** What the server does behind itself. Default: nothing. */
  readonly does?: readonly string[]
  /** The code of the error that the session ends with, or its message where it has no code. Default: it ends well. */
  readonly fails?: string
}

/** What came of a conversation, in words that a failing test can show. */
interface Outcome {
  readonly chunking: string
  readonly heard: string
  readonly did: readonly string[]
  readonly failed: string | undefined
}

/**
 * Tests of a server with these options: each case is played under every chunking, and the same must come of each. The
 * client speaks TCP; what the server reaches is made of memory.
 */
export const conformance = (
  options: ServerOptions,
  cases: readonly Case[],
  chunkingsOf: (says: Uint8Array) => Chunking[] = cutAtTheStart
): void => {
  it.each(cases)('$name', async (conversation) => {
    const { says, hears, does = [], fails } = conversation
    for (const chunking of chunkingsOf(says)) {
      const expected: Outcome = { chunking: chunking.name, heard: toHex(hears), did: does, failed: fails }
      expect(await hold(options, conversation, chunking)).toEqual(expected)
    }
  })
}

/** At once, byte by byte, and in two, cut at each of the first bytes: long conversations have no more news. */
const cutAtTheStart = ({ length }: Uint8Array): Chunking[] => everyChunking(length).slice(0, 40)

/** At once, and byte by byte. */
export const wholeOrInBytes = (): Chunking[] => everyChunking(0)

/** Holds one conversation with a server of its own. */
const hold = async (options: ServerOptions, { says, leaves }: Case, chunking: Chunking): Promise<Outcome> => {
  const outside = makeOutside()
  const server = createServer({ ...outside.options, ...options, listen: { host: '127.0.0.1', port: 0 } })
  const over = new Promise<unknown>((resolve) => {
    server.on('closed', (_session: Session, cause) => resolve(cause))
  })
  const [endpoint] = await server.listen()
  if (endpoint === undefined || !('port' in endpoint)) throw new Error('the server does not listen on TCP')
  const heard = await speak(endpoint.port, chunked(says, chunking), leaves)
  const cause = await over
  await server.close()
  return { chunking: chunking.name, heard: toHex(heard), did: outside.did, failed: codeOf(cause) }
}

const codeOf = (cause: unknown): string | undefined => {
  if (cause === undefined) return undefined
  if (!(cause instanceof Error)) return inspect(cause)
  return 'code' in cause ? String(cause.code) : cause.message
}

/** Says all this, piece by piece, to a port of 127.0.0.1; resolves with what is heard until the other side closes. */
const speak = async (port: number, chunks: readonly Uint8Array[], leaves = false): Promise<Uint8Array> => {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  onTestFinished(() => void socket.destroy())
  const heard: Buffer[] = []
  socket.on('data', (chunk) => heard.push(chunk))
  const ended = new Promise<void>((resolve, reject) => socket.on('close', () => resolve()).on('error', reject))
  for (const chunk of chunks) {
    // One that has heard the end does not go on.
    if (socket.writable) socket.write(chunk)
    // The server reads what there is before the next piece comes.
    await turn()
    await turn()
  }
  if (leaves) socket.end()
  await ended
  return Buffer.concat(heard)
}
