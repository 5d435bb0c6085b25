export {
  addressType,
  canonicalHost,
  formatAddress,
  ipFromBytes,
  ipToBytes,
  ipv4FromNumber,
  isLoopback,
  parseAddress,
  portFromBytes,
  portToBytes,
  unspecified,
  writeDotted,
  type Address,
  type AddressType
} from './address.ts'
export * from './cursor.ts'
export * from './errors.ts'
export * from './fields/address.ts'
export * from './fields/field.ts'
export * from './fields/octet.ts'
export { counted } from './fields/text.ts'
export * from './message.ts'
export * from './messages/datagram.ts'
export * from './messages/greeting.ts'
export * from './messages/request.ts'
export * from './messages/socks4.ts'
export * from './messages/username-password.ts'
export * from './reply-code.ts'
