/** The family of an IP address. */
export const familyOf = (ip: string): 4 | 6 => (ip.includes(':') ? 6 : 4)

/** How many bytes a UDP datagram to an IP address can carry: what is left of 65,535 by the headers of UDP and of IPv4. */
export const capacityOf = (ip: string): number => (familyOf(ip) === 6 ? 65_527 : 65_507)

/** How far the packets of an IP address go, which is in its canonical form: called for every datagram. */
const scopeOf = (ip: string): 'machine' | 'link' | 'world' => {
  if (ip.startsWith('127.') || ip === '::1') return 'machine'
  return /^fe[89ab][^:]:/.test(ip) ? 'link' : 'world'
}

/** Whether a socket that is bound to one IP address can send to another: to its own family, and no further than it goes. */
export const reaches = (from: string, to: string): boolean => {
  if (familyOf(from) !== familyOf(to)) return false
  const scope = scopeOf(from)
  return scope === 'world' || scope === scopeOf(to)
}
