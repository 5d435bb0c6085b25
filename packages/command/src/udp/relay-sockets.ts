import { formatAddress, type Address } from '@it-socks/protocol'

/** Where all relay sockets are that are open now: two associations that took each other for clients would never end. */
export interface RelaySockets {
  add(address: Address): void
  delete(address: Address): void
  has(address: Address): boolean
}

/** Those that it is told of. */
export const relaySockets = (): RelaySockets => {
  const open = new Set<string>()
  return {
    add: (address) => void open.add(formatAddress(address)),
    delete: (address) => void open.delete(formatAddress(address)),
    has: (address) => open.has(formatAddress(address))
  }
}
