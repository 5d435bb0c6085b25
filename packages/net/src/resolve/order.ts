/** Which family comes first in an answer. Within one family the answer's own order stays. */
export type AddressOrder = 'verbatim' | 'ipv4first' | 'ipv6first'
