import { randomInt } from 'node:crypto'
import { associate } from '@it-socks/client'
import { formatAddress } from '@it-socks/protocol'

const typeA = 1
const classIn = 1

/** A question for the IPv4 addresses of a name (RFC 1035 section 4.1), as bytes. */
const encodeQuestion = (id: number, name: string) => {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]))
  const header = [id >> 8, id & 0xff, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0] // recursion desired, one question
  return Buffer.concat([Buffer.from(header), ...labels, Buffer.of(0, 0, typeA, 0, classIn)])
}

/** Where a name ends that starts at `offset`: at a zero, or at a pointer to the rest of it. */
const endOfName = (bytes: Buffer, offset: number): number => {
  const length = bytes.readUInt8(offset)
  if (length === 0) return offset + 1
  return length >= 0xc0 ? offset + 2 : endOfName(bytes, offset + 1 + length)
}

/** The IPv4 addresses in the answer to `question`; `undefined` for bytes that are another answer, or none. */
const decodeAnswer = (bytes: Buffer, question: Buffer) => {
  const isAnswer = bytes.length >= question.length && bytes.readUInt8(2) >= 0x80
  const isOurs = bytes.readUInt16BE(0) === question.readUInt16BE(0)
  if (!isAnswer || !isOurs || !bytes.subarray(12, question.length).equals(question.subarray(12))) return undefined
  const code = bytes.readUInt8(3) & 0x0f
  if (code !== 0) throw new Error(code === 3 ? 'there is no such name' : `the DNS server failed with code ${code}`)
  const addresses: string[] = []
  let offset = question.length
  for (let left = bytes.readUInt16BE(6); left > 0; left--) {
    offset = endOfName(bytes, offset)
    const type = bytes.readUInt16BE(offset)
    const length = bytes.readUInt16BE(offset + 8)
    const data = bytes.subarray(offset + 10, offset + 10 + length)
    if (type === typeA) addresses.push(data.join('.'))
    offset += 10 + length
  }
  return addresses
}

/**
 * Looks a name up by asking a DNS server, the way resolvers do, over UDP, and all of it through a SOCKS5 proxy.
 *
 * @param server IP address and port, for anybody may answer: only what comes from there counts
 */
export const lookUp = async (name: string, server: string, proxy: string, timeout = 5000) => {
  const question = encodeQuestion(randomInt(0x10000), name)
  const association = await associate({ proxy })
  const send = () => association.send(question, server).catch((error: unknown) => association.close(error))
  // Datagrams get lost: ask again every second.
  const again = setInterval(send, 1000)
  const giveUp = setTimeout(() => association.close(new Error(`no answer from ${server}`)), timeout)
  try {
    await send()
    for await (const { from, data } of association.source) {
      if (formatAddress(from) !== server) continue
      const addresses = decodeAnswer(Buffer.from(data), question)
      if (addresses !== undefined) return addresses // leaving the loop closes the association
    }
    throw new Error('the association was closed')
  } finally {
    clearInterval(again)
    clearTimeout(giveUp)
  }
}

if (process.argv[1] === import.meta.filename) {
  const [, , name = 'example.com', server = '9.9.9.9:53', proxy = 'socks5h://127.0.0.1:1080'] = process.argv
  console.log(await lookUp(name, server, proxy))
}
