import * as fc from 'fast-check'
import {
  addressType,
  credentials,
  credentialsStatus,
  datagramHeader,
  greeting,
  ipFromBytes,
  methodSelection,
  reply,
  reply4,
  request,
  request4,
  type Address,
  type Message
} from '@it-socks/protocol'

const octet = fc.nat({ max: 255 })
const bytesOfUtf8 = (text: string): number => new TextEncoder().encode(text).length

/** Text that fits a byte's count, of any character that UTF-8 has. */
const text = (minLength: number) =>
  fc.string({ unit: 'binary', minLength, maxLength: 255 }).filter((text) => bytesOfUtf8(text) <= 255)

const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(ipFromBytes)
/** Zeros are what `::` is about: half of the groups are. */
const ipv6 = fc
  .array(fc.oneof(fc.constant([0, 0]), fc.tuple(octet, octet)), { minLength: 8, maxLength: 8 })
  .map((groups) => ipFromBytes(Uint8Array.from(groups.flat())))
const domain = fc.oneof(
  fc.domain(),
  text(1).filter((name) => !/[\p{Cc} ]/u.test(name) && addressType(name) === 'domain' && !name.startsWith('['))
)

export const address: fc.Arbitrary<Address> = fc.record({
  host: fc.oneof(ipv4, ipv6, domain),
  port: fc.nat({ max: 65535 })
})

/** What SOCKS4 can say of itself. */
const address4: fc.Arbitrary<Address> = fc.record({ host: ipv4, port: fc.nat({ max: 65535 }) })
/** SOCKS4 and SOCKS4a in halves; text has no NUL. */
const asked4 = fc.record({
  command: fc.constantFrom('connect' as const, 'bind' as const),
  destination: fc.oneof(address4, address),
  userId: text(0).filter((userId) => !userId.includes('\0'))
})

/** A message and an arbitrary value of it. */
export interface Case<T = unknown> {
  readonly message: Message<T>
  readonly value: T
}

const cases = <T>(message: Message<T>, values: fc.Arbitrary<T>): fc.Arbitrary<Case> =>
  values.map((value) => ({ message: message as Message<unknown>, value }))

/** Every message of the protocol. */
export const everyMessage: ReadonlyArray<Message<unknown>> = [
  greeting,
  methodSelection,
  credentials,
  credentialsStatus,
  request,
  reply,
  datagramHeader,
  request4,
  reply4
] as ReadonlyArray<Message<unknown>>

/** Any message with any value that it can hold. */
export const anyMessage: fc.Arbitrary<Case> = fc.oneof(
  cases(greeting, fc.record({ methods: fc.array(octet, { minLength: 1, maxLength: 255 }) })),
  cases(methodSelection, fc.record({ method: octet })),
  cases(credentials, fc.record({ username: text(1), password: text(0) })),
  cases(credentialsStatus, fc.record({ status: octet })),
  cases(request, fc.record({ command: fc.constantFrom('connect', 'bind', 'udpAssociate'), destination: address })),
  cases(reply, fc.record({ rep: octet, bound: address })),
  cases(datagramHeader, fc.record({ fragment: octet, destination: address })),
  cases(request4, asked4),
  cases(reply4, fc.record({ cd: octet, bound: address4 }))
)

/**
 * Bytes that are no message, or only just: noise alone would nearly always fail at its first byte, so most start as
 * a message does, and some are a message with one byte changed.
 */
export const noise: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 600 }),
  fc
    .tuple(
      fc.constantFrom([5], [1], [0, 0], [5, 0, 0], [5, 1, 0], [5, 1, 0, 3], [4, 1], [4, 2, 0, 80, 0, 0, 0, 1]),
      fc.uint8Array({ maxLength: 600 })
    )
    .map(([head, tail]) => Uint8Array.from([...head, ...tail])),
  fc.tuple(anyMessage, fc.nat(), octet).map(([{ message, value }, place, byte]) => {
    const bytes = message.encode(value)
    return bytes.with(place % bytes.length, byte)
  })
)
