/** What a URL gives a meaning of its own. */
// oxlint-disable-next-line no-control-regex
const delimiters = /[\u0000- /\\?#@:%[\]<>^|]/

/**
 * The form in which names compare: small letters, no trailing dot, and of anything but ASCII what a resolver may make of
 * it (UTS 46), for `ｅxample。com` is looked up as `example.com`.
 */
export const comparable = (name: string): string => toAscii(name).toLowerCase().replace(/\.$/, '')

const toAscii = (name: string): string => {
  // oxlint-disable-next-line no-control-regex
  if (/^[\u0000-\u007f]*$/.test(name) || delimiters.test(name)) return name
  try {
    return new URL(`ws://${name}`).hostname
  } catch {
    // No resolver can look it up so; whatever else one makes of it, the addresses are judged.
    return name
  }
}

/** Whether a comparable name is, or ends with, the labels of `domain`. */
export const isWithin = (name: string, domain: string): boolean => name === domain || isBelow(name, domain)

/** Whether a comparable name ends with the labels of `domain` and has more. */
export const isBelow = (name: string, domain: string): boolean => name.endsWith(`.${domain}`)

/** Whether a host is `localhost` or below it, which is this machine whatever a name server says (RFC 6761 section 6.3). */
export const isLocalhost = (host: string): boolean => isWithin(comparable(host), 'localhost')
