import type { Address } from '@it-socks/protocol'
import type { Permit } from '@it-socks/stage'

/** Whether the rules let the client have to do with an address; whatever `permit` throws is a no. */
export const isPermitted = (permit: Permit | undefined, address: Address, name?: string): boolean => {
  try {
    permit?.(address, name)
    return true
  } catch {
    return false
  }
}
