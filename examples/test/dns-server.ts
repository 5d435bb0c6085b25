import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'

export interface DnsServerOptions {
  /** How many questions to leave without an answer first. Default: 0. */
  deafTo?: number
  /** Says this before the answer, for a test of who listens. */
  noise?: Uint8Array
}

/** A DNS server that knows one name, for as long as the test runs: its `address:port`. */
export const serveName = async (
  name: string,
  addresses: readonly string[],
  { deafTo = 0, noise }: DnsServerOptions = {}
): Promise<string> => {
  const socket = createSocket('udp4')
  let asked = 0
  socket.on('message', (question, { port, address }) => {
    if (asked++ < deafTo) return
    if (noise !== undefined) socket.send(noise, port, address)
    socket.send(answer(question, name, addresses), port, address)
  })
  socket.bind(0, '127.0.0.1')
  onTestFinished(() => {
    socket.close()
  })
  await once(socket, 'listening')
  return `127.0.0.1:${socket.address().port}`
}

const answer = (question: Buffer, name: string, addresses: readonly string[]): Buffer => {
  const isKnown = nameIn(question) === name
  const header = Buffer.from(question.subarray(0, 12))
  header[2] = 0x81
  header[3] = isKnown ? 0x80 : 0x83
  header.writeUInt16BE(isKnown ? addresses.length + 1 : 0, 6)
  // An alias of the name first, as in life, and then its addresses; each name is a pointer to that in the question.
  const alias = Buffer.from('c00c000500010000003c0003017800', 'hex')
  const records = addresses.map((ip) =>
    Buffer.concat([Buffer.from('c00c000100010000003c0004', 'hex'), Buffer.from(ip.split('.').map(Number))])
  )
  return Buffer.concat([header, question.subarray(12), ...(isKnown ? [alias, ...records] : [])])
}

const nameIn = (question: Buffer): string => {
  const labels: string[] = []
  for (let offset = 12; question[offset] !== 0; offset += 1 + question[offset]!) {
    labels.push(question.toString('latin1', offset + 1, offset + 1 + question[offset]!))
  }
  return labels.join('.')
}
