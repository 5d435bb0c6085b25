import { parseAddress } from '@it-socks/protocol'
import type { ServerOptions } from '@it-socks/server'
import { chunked, everyChunking, toHex, type Chunking, type MemoryDuplex } from '@it-socks/testing'
import { expect, it } from 'vitest'
import { openClient, openSetting } from './conversation.ts'

/** A peer that connects where the server listens for BIND. */
interface Peer {
  /** Its address, `host:port`. */
  readonly from: string
  /** What it says before it closes. */
  readonly says: Uint8Array
  /** What it hears, or that it is reset. */
  readonly hears: Uint8Array | 'reset'
}

/** A conversation with a server, to its end: what the client says, and all that comes of it. */
export interface Case {
  /** What is guarded. */
  readonly name: string
  /** All that the client says. */
  readonly says: Uint8Array
  /** Whether the client half-closes then. Default: it waits for the server to. */
  readonly leaves?: boolean
  /** Who connects then, one after the other. Default: nobody. */
  readonly peers?: readonly Peer[]
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
  readonly peers: readonly string[]
  readonly did: readonly string[]
  readonly failed: string | undefined
  /** Sockets that were left open behind the server. */
  readonly open: number
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
    const { says, hears, peers = [], does = [], fails } = conversation
    for (const chunking of chunkingsOf(says)) {
      const expected: Outcome = {
        chunking: chunking.name,
        heard: toHex(hears),
        peers: peers.map(({ hears }) => (hears === 'reset' ? hears : toHex(hears))),
        did: does,
        failed: fails,
        open: 0
      }
      expect(await hold(options, conversation, chunking)).toEqual(expected)
    }
  })
}

/** At once, byte by byte, and in two, cut at each of the first bytes: the packages' own tests cut everywhere. */
const cutAtTheStart = ({ length }: Uint8Array): Chunking[] => everyChunking(length).slice(0, 16)

/** At once, and byte by byte. */
export const wholeOrInBytes = (): Chunking[] => everyChunking(0)

const hold = async (
  options: ServerOptions,
  { says, leaves = false, peers = [] }: Case,
  chunking: Chunking
): Promise<Outcome> => {
  const { outside, port, over } = await openSetting(options)
  const client = openClient(port)
  await client.say(chunked(says, chunking))
  if (leaves) client.socket.end()
  const connections = await Promise.all(peers.map(({ from }) => outside.connect(parseAddress(from))))
  const fates = await Promise.all(connections.map((connection, index) => visit(connection, peers[index]!.says)))
  const heard = toHex(await client.closed)
  const { failed } = await over
  return { chunking: chunking.name, heard, peers: fates, did: outside.did, failed, open: outside.open() }
}

/** Says all this and closes; what is heard, or `reset`. */
const visit = async (connection: MemoryDuplex, says: Uint8Array): Promise<string> => {
  const said = connection.sink(
    (async function* () {
      if (says.length > 0) yield says
    })()
  )
  const heard: Uint8Array[] = []
  try {
    for await (const bytes of connection.source) heard.push(bytes.subarray())
    await said
    return toHex(Buffer.concat(heard))
  } catch {
    said.catch(() => {})
    return 'reset'
  }
}
