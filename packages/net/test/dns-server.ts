import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'

/** What the server does when it is asked for one type of record: addresses (or names), a failure, or nothing at all. */
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
  [12, 'PTR'],
  [28, 'AAAA']
] as const)

type Type = 'A' | 'AAAA' | 'PTR'

const rcodes = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3 }

/**
 * A DNS server on loopback that knows A, AAAA and PTR records of these names (RFC 1035 section 4), and that no others exist.
 * IPv6 addresses are written in full. It is closed when the test ends.
 */
export const dnsServer = async (
  names: Readonly<Record<string, { readonly A?: Answer; readonly AAAA?: Answer; readonly PTR?: Answer }>>
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
    if (answer !== 'silence') socket.send(respond(query, question, type, answer), from.port, from.address)
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
const readQuestion = (query: Buffer): { name: string; type: Type; question: Buffer } => {
  const labels: string[] = []
  let at = 12
  while (query[at]! > 0) {
    const end = at + 1 + query[at]!
    labels.push(query.toString('latin1', at + 1, end))
    at = end
  }
  const type = types.get(query.readUInt16BE(at + 1) as 1 | 12 | 28)
  if (type === undefined) throw new Error('this server knows addresses and names of addresses only')
  return { name: labels.join('.'), type, question: query.subarray(12, at + 5) }
}

const respond = (
  query: Buffer,
  question: Buffer,
  type: Type,
  answer: readonly string[] | 'NXDOMAIN' | 'SERVFAIL'
): Buffer => {
  const records = typeof answer === 'string' ? [] : answer.map((text) => record(type, bytesOf[type](text)))
  const header = Buffer.alloc(12)
  query.copy(header, 0, 0, 2) // ID
  header.writeUInt16BE(0x8180 | rcodes[typeof answer === 'string' ? answer : 'NOERROR'], 2) // QR, RD, RA
  header.writeUInt16BE(1, 4) // QDCOUNT
  header.writeUInt16BE(records.length, 6) // ANCOUNT
  return Buffer.concat([header, question, ...records])
}

const codes: Readonly<Record<Type, number>> = { A: 1, PTR: 12, AAAA: 28 }

/** The name is that of the question (a pointer to it, RFC 1035 section 4.1.4), the class IN, the time to live 0. */
const record = (type: Type, data: Buffer): Buffer =>
  Buffer.concat([Buffer.of(0xc0, 12, 0, codes[type], 0, 1, 0, 0, 0, 0, 0, data.length), data])

const bytesOf: Readonly<Record<Type, (text: string) => Buffer>> = {
  A: (ip) => Buffer.from(ip.split('.').map(Number)),
  AAAA: (ip) => Buffer.from(ip.replaceAll(':', ''), 'hex'),
  PTR: (name) =>
    Buffer.concat([...name.split('.'), ''].map((label) => Buffer.from(String.fromCharCode(label.length) + label)))
}
