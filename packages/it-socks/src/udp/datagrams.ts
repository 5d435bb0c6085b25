import { Failure } from '../failure.ts'

/** What a UDP datagram over IPv4 has room for; what the proxy's header takes of that comes off. */
const largest = 65_507

const newline = 0x0a

/** Stdin has more than a datagram can carry. */
class TooMuchFailure extends Failure {
  override readonly name = 'TooMuchFailure'
  override readonly exitCode = 1

  constructor(what: string) {
    super(`${what} has more than the ${largest} bytes that a datagram can have`)
  }
}

/** All of `input`, as one datagram. */
export const whole = async (input: AsyncIterable<Uint8Array>): Promise<Uint8Array> => {
  const datagram = collect(() => 'stdin')
  for await (const chunk of input) datagram.add(chunk)
  return datagram.take()
}

/** Each line of `input` as a datagram, without its newline; the last line may lack it. */
export const byLine = async function* (input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let count = 1
  const datagram = collect(() => `line ${count} of stdin`)
  for await (const chunk of input) {
    let start = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      datagram.add(chunk.subarray(start, end))
      yield datagram.take()
      count++
      start = end + 1
    }
    datagram.add(chunk.subarray(start))
  }
  const last = datagram.take()
  if (last.length > 0) yield last
}

/** Puts a datagram together, and never hoards more than one can have. */
const collect = (what: () => string): { add(chunk: Uint8Array): void; take(): Uint8Array } => {
  const chunks: Uint8Array[] = []
  let length = 0
  return {
    add(chunk) {
      length += chunk.length
      if (length > largest) throw new TooMuchFailure(what())
      if (chunk.length > 0) chunks.push(chunk)
    },
    take() {
      length = 0
      return Buffer.concat(chunks.splice(0))
    }
  }
}
