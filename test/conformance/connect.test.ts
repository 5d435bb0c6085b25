import { hex } from '@it-socks/testing'
import { describe } from 'vitest'
import { conformance, type Case } from './table.ts'
import { refusals } from './outside.ts'

const a255 = 'a'.repeat(255)
const granted = hex`05 00 00 01 c0000209 04d2`
const refused = (rep: number) => hex`05 ${Uint8Array.of(rep)} 00 01 00000000 0000`

/** A client that needs no authentication, from its request on. */
const asking = ({ says, hears, ...rest }: Case): Case => ({
  ...rest,
  says: hex`05 01 00 ${says}`,
  hears: hex`05 00 ${hears}`
})

describe('CONNECT: a client that says greeting, request and data at once has its data at the target', () => {
  conformance(
    {},
    [
      {
        name: 'by IPv4 address',
        says: hex`05 01 00 01 c0000201 0050 ${'early data'}`,
        does: ['dial 192.0.2.1:80']
      },
      {
        name: 'by IPv6 address',
        says: hex`05 01 00 04 20010db8000000000000000000000001 0050 ${'early data'}`,
        does: ['dial [2001:db8::1]:80']
      },
      {
        name: 'by an IPv4 address that is mapped into IPv6',
        says: hex`05 01 00 04 00000000000000000000ffff c0000201 0050 ${'early data'}`,
        does: ['dial 192.0.2.1:80']
      },
      {
        name: 'by domain',
        says: hex`05 01 00 03 0b ${'example.com'} 0050 ${'early data'}`,
        does: ['dial example.com:80']
      },
      {
        name: 'by a domain of one byte',
        says: hex`05 01 00 03 01 ${'a'} 0050 ${'early data'}`,
        does: ['dial a:80']
      },
      {
        name: 'by a domain of 255 bytes',
        says: hex`05 01 00 03 ff ${a255} 0050 ${'early data'}`,
        does: [`dial ${a255}:80`]
      },
      {
        name: 'by a domain that spells an IPv4 address, as Chromium and Java do',
        says: hex`05 01 00 03 09 ${'192.0.2.1'} 0050 ${'early data'}`,
        does: ['dial 192.0.2.1:80']
      },
      {
        name: 'by a domain that spells an IPv6 address',
        says: hex`05 01 00 03 0b ${'2001:db8::1'} 0050 ${'early data'}`,
        does: ['dial [2001:db8::1]:80']
      },
      {
        name: 'by a domain that spells an IPv6 address in brackets',
        says: hex`05 01 00 03 0d ${'[2001:db8::1]'} 0050 ${'early data'}`,
        does: ['dial [2001:db8::1]:80']
      },
      {
        name: 'at the highest port',
        says: hex`05 01 00 01 c0000201 ffff ${'early data'}`,
        does: ['dial 192.0.2.1:65535']
      }
    ].map((one) => asking({ ...one, leaves: true, hears: hex`${granted} ${'early data'}` }))
  )
})

describe('CONNECT: a request that is none is refused', () => {
  conformance(
    {},
    [
      { name: 'VER 4', says: hex`05 01 00 01 c0000201 0050`.with(0, 4), rep: 1, fails: 'ERR_SOCKS_VERSION' },
      { name: 'VER 0', says: hex`00 01 00 01 c0000201 0050`, rep: 1, fails: 'ERR_SOCKS_VERSION' },
      {
        name: 'VER 1: credentials that nobody asked for',
        says: hex`01 02 ${'me'} 02 ${'pw'}`,
        rep: 1,
        fails: 'ERR_SOCKS_VERSION'
      },
      { name: 'CMD 0', says: hex`05 00 00 01 c0000201 0050`, rep: 7, fails: 'ERR_SOCKS_COMMAND' },
      { name: 'CMD 4', says: hex`05 04 00 01 c0000201 0050`, rep: 7, fails: 'ERR_SOCKS_COMMAND' },
      { name: 'CMD 0xFF', says: hex`05 ff 00 01 c0000201 0050`, rep: 7, fails: 'ERR_SOCKS_COMMAND' },
      { name: 'RSV 1', says: hex`05 01 01 01 c0000201 0050`, rep: 1, fails: 'ERR_SOCKS_RESERVED' },
      { name: 'ATYP 0', says: hex`05 01 00 00 c0000201 0050`, rep: 8, fails: 'ERR_SOCKS_ADDRESS_TYPE' },
      { name: 'ATYP 2', says: hex`05 01 00 02 c0000201 0050`, rep: 8, fails: 'ERR_SOCKS_ADDRESS_TYPE' },
      { name: 'ATYP 5', says: hex`05 01 00 05 c0000201 0050`, rep: 8, fails: 'ERR_SOCKS_ADDRESS_TYPE' },
      { name: 'ATYP 0xFF', says: hex`05 01 00 ff 0000`, rep: 8, fails: 'ERR_SOCKS_ADDRESS_TYPE' },
      { name: 'a domain of no bytes', says: hex`05 01 00 03 00 0050`, rep: 1, fails: 'ERR_SOCKS_EMPTY_NAME' },
      { name: 'a domain with a NUL', says: hex`05 01 00 03 03 61 00 62 0050`, rep: 1, fails: 'ERR_SOCKS_TEXT' },
      { name: 'a domain with a space', says: hex`05 01 00 03 03 ${'a b'} 0050`, rep: 1, fails: 'ERR_SOCKS_TEXT' },
      { name: 'a domain that is not UTF-8', says: hex`05 01 00 03 02 c328 0050`, rep: 1, fails: 'ERR_SOCKS_TEXT' }
    ].map(({ rep, ...one }) => asking({ ...one, hears: refused(rep) }))
  )
})

describe('CONNECT: what becomes of the target is told by REP', () => {
  conformance({}, [
    ...Array.from(refusals, ([name, rep]) =>
      asking({
        name: `${name} is ${rep}`,
        says: hex`05 01 00 03 ${Uint8Array.of(name.length + 8)} ${`${name}.example`} 0050`,
        hears: refused(rep),
        does: [`dial ${name}.example:80`],
        fails: `ERR_SOCKS_${name.toUpperCase().replaceAll('-', '_')}`
      })
    ),
    asking({
      name: 'a name without an address is 4',
      says: hex`05 01 00 03 14 ${'unresolvable.example'} 0050 ${'early data'}`,
      hears: refused(4),
      does: ['dial unresolvable.example:80'],
      fails: 'ERR_SOCKS_UNRESOLVABLE'
    }),
    asking({
      name: 'a failure without a name is 1',
      says: hex`05 01 00 03 0e ${'broken.example'} 0050 ${'early data'}`,
      hears: refused(1),
      does: ['dial broken.example:80'],
      fails: 'it broke'
    })
  ])
})
