import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'

/** What the server does when it is asked for one type of record: addresses, a failure, or nothing at all. */
export type Answer = readonly string[] | 'silence' | 'SERVFAIL'

export interface DnsServer {
  /** `ip:port`. */
  readonly address: string
  /** What was asked so far, `AAAA name` for example, in order. */
  readonly asked: string[]
  /** Resolves when so many questions have come. */
  count(questions: number): Promise<void>
}

const types = new Map([
  [1, 'A'],
  [28, 'AAAA']
] as const)

const rcodes = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3 }

/**
 * A DNS server on loopback that knows A and AAAA records of these names (RFC 1035 section 4), and that no others exist.
 * IPv6 addresses are written in full. It is closed when the test ends.
 */
export const dnsServer = async (
  names: Readonly<Record<string, { readonly A?: Answer; readonly AAAA?: Answer }>>
): Promise<DnsServer> => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  onTestFinished(async () => {
    socket.close()
    await once(socket, 'close')
  })
  const asked: string[] = []

  socket.on('message', (query: Buffer, from: RemoteInfo) => {
    const { name, type, question } = readQuestion(query)
    asked.push(`${type} ${name}`)
    socket.emit('asked')
    const records = names[name.toLowerCase()]
    const answer = records === undefined ? 'NXDOMAIN' : (records[type] ?? [])
    if (answer !== 'silence') socket.send(respond(query, question, answer), from.port, from.address)
  })

  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    async count(questions) {
      while (asked.length < questions) await once(socket, 'asked')
    }
  }
}

/** The one question of a query: behind a header of 12 bytes, labels up to an empty one, then type and class. */
const readQuestion = (query: Buffer): { name: string; type: 'A' | 'AAAA'; question: Buffer } => {
  const labels: string[] = []
  let at = 12
  while (query[at]! > 0) {
    const end = at + 1 + query[at]!
    labels.push(query.toString('latin1', at + 1, end))
    at = end
  }
  const type = types.get(query.readUInt16BE(at + 1) as 1 | 28)
  if (type === undefined) throw new Error('this server knows addresses only')
  return { name: labels.join('.'), type, question: query.subarray(12, at + 5) }
}

const respond = (query: Buffer, question: Buffer, answer: readonly string[] | 'NXDOMAIN' | 'SERVFAIL'): Buffer => {
  const addresses = typeof answer === 'string' ? [] : answer.map(bytesOf)
  const header = Buffer.alloc(12)
  query.copy(header, 0, 0, 2) // ID
  header.writeUInt16BE(0x8180 | rcodes[typeof answer === 'string' ? answer : 'NOERROR'], 2) // QR, RD, RA
  header.writeUInt16BE(1, 4) // QDCOUNT
  header.writeUInt16BE(addresses.length, 6) // ANCOUNT
  return Buffer.concat([header, question, ...addresses.map(record)])
}

/** The name is that of the question (a pointer to it, RFC 1035 section 4.1.4), the class IN, the time to live 0. */
const record = (address: Buffer): Buffer =>
  Buffer.concat([Buffer.of(0xc0, 12, 0, address.length === 4 ? 1 : 28, 0, 1, 0, 0, 0, 0, 0, address.length), address])

const bytesOf = (ip: string): Buffer =>
  ip.includes(':') ? Buffer.from(ip.replaceAll(':', ''), 'hex') : Buffer.from(ip.split('.').map(Number))
