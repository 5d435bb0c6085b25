import { parseRule } from '@it-socks/rules'
import { hex } from '@it-socks/testing'
import { describe } from 'vitest'
import { conformance, type Case } from './table.ts'

const refused = (rep: number) => hex`05 ${Uint8Array.of(rep)} 00 01 00000000 0000`
const options = { commands: ['resolve', 'resolvePtr'] as const }

/** A client that needs no authentication, from CMD on. */
const asking = ({ says, hears, ...rest }: Case): Case => ({
  ...rest,
  says: hex`05 01 00 05 ${says}`,
  hears: hex`05 00 ${hears}`
})

describe('RESOLVE answers, and closes', () => {
  conformance(
    options,
    [
      {
        name: 'a domain: its first address',
        says: hex`f0 00 03 0b ${'two.example'} 0000`,
        hears: hex`05 00 00 01 c0000201 0000`
      },
      {
        name: 'a domain with an IPv6 address',
        says: hex`f0 00 03 0b ${'six.example'} 0000`,
        hears: hex`05 00 00 04 20010db8000000000000000000000001 0000`
      },
      {
        name: 'a domain, whatever the port',
        says: hex`f0 00 03 0b ${'one.example'} 0102`,
        hears: hex`05 00 00 01 c0000201 0000`
      },
      {
        name: 'an address: itself',
        says: hex`f0 00 01 c0000205 0000`,
        hears: hex`05 00 00 01 c0000205 0000`
      },
      {
        name: 'an address that comes as a domain: itself',
        says: hex`f0 00 03 09 ${'192.0.2.5'} 1111`,
        hears: hex`05 00 00 01 c0000205 0000`
      },
      {
        name: 'an IPv6 address that comes as a domain in brackets: itself',
        says: hex`f0 00 03 0d ${'[2001:db8::1]'} 0102`,
        hears: hex`05 00 00 04 20010db8000000000000000000000001 0000`
      },
      {
        name: 'what comes behind the request is nobody’s',
        says: hex`f0 00 03 0b ${'one.example'} 0000 ${'data'}`,
        hears: hex`05 00 00 01 c0000201 0000`
      },
      {
        name: 'a domain without an address',
        says: hex`f0 00 03 14 ${'unresolvable.example'} 0000`,
        hears: refused(4),
        fails: 'ERR_SOCKS_UNRESOLVABLE'
      },
      {
        name: 'an empty domain',
        says: hex`f0 00 03 00 0000`,
        hears: refused(1),
        fails: 'ERR_SOCKS_EMPTY_NAME'
      }
    ].map(asking)
  )
})

describe('RESOLVE_PTR answers, and closes', () => {
  conformance(
    options,
    [
      {
        name: 'an IPv4 address: its name',
        says: hex`f1 00 01 c0000201 0103`,
        hears: hex`05 00 00 03 0b ${'one.example'} 0000`
      },
      {
        name: 'an IPv6 address: its name',
        says: hex`f1 00 04 20010db8000000000000000000000001 0000`,
        hears: hex`05 00 00 03 0b ${'six.example'} 0000`
      },
      {
        name: 'an address without a name',
        says: hex`f1 00 01 c0000205 0000`,
        hears: refused(4),
        fails: 'ERR_SOCKS_UNRESOLVABLE'
      },
      {
        name: 'a domain, which is no address',
        says: hex`f1 00 03 0b ${'one.example'} 0000`,
        hears: refused(8),
        fails: 'ERR_SOCKS_ADDRESS_TYPE_NOT_SUPPORTED'
      }
    ].map(asking)
  )
})

describe('RESOLVE and RESOLVE_PTR, where rules deny it', () => {
  conformance(
    { ...options, rules: [parseRule('deny to 192.0.2.1'), parseRule('deny to secret.example')] },
    [
      {
        name: 'a name is not told an address that may not be known',
        says: hex`f0 00 03 0b ${'one.example'} 0000`,
        hears: refused(2),
        fails: 'ERR_SOCKS_RULE'
      },
      {
        name: 'but another address of that name',
        says: hex`f0 00 03 0b ${'two.example'} 0000`,
        hears: hex`05 00 00 01 c0000202 0000`
      },
      {
        name: 'a name that may not be asked for',
        says: hex`f0 00 03 0e ${'secret.example'} 0000`,
        hears: refused(2),
        fails: 'ERR_SOCKS_RULE'
      },
      {
        name: 'an address that may not be asked for',
        says: hex`f1 00 01 c0000201 0000`,
        hears: refused(2),
        fails: 'ERR_SOCKS_RULE'
      }
    ].map(asking)
  )
})

describe('RESOLVE and RESOLVE_PTR, where they are not served, as by default', () => {
  conformance(
    {},
    [
      { name: 'RESOLVE', says: hex`f0 00 03 0b ${'one.example'} 0000` },
      { name: 'RESOLVE_PTR', says: hex`f1 00 01 c0000201 0000` }
    ].map((one) => asking({ ...one, hears: refused(7), fails: 'ERR_SOCKS_COMMAND_NOT_SUPPORTED' }))
  )
})
