import { usernamePassword, users } from '@it-socks/auth'
import { hex } from '@it-socks/testing'
import { describe } from 'vitest'
import { conformance } from './table.ts'

const withPassword = usernamePassword({ verify: users({ alice: 'open sesame', ['u'.repeat(255)]: 'p'.repeat(255) }) })
const request = hex`05 01 00 01 c0000201 0050 ${'data'}`
const granted = hex`05 00 00 01 c0000209 04d2 ${'data'}`
const does = ['dial 192.0.2.1:80']
const most = Uint8Array.from({ length: 255 }, (_, method) => 254 - method)

describe('the greeting', () => {
  conformance({}, [
    { name: 'of one method', says: hex`05 01 00 ${request}`, leaves: true, hears: hex`05 00 ${granted}`, does },
    { name: 'of 255 methods', says: hex`05 ff ${most} ${request}`, leaves: true, hears: hex`05 00 ${granted}`, does },
    {
      name: 'that repeats a method',
      says: hex`05 03 000000 ${request}`,
      leaves: true,
      hears: hex`05 00 ${granted}`,
      does
    },
    { name: 'of no methods', says: hex`05 00 ${request}`, hears: hex`05 ff`, fails: 'ERR_SOCKS_NO_METHODS' },
    {
      name: 'of methods that nobody knows, whatever comes behind it',
      says: hex`05 03 992110 ${request}`,
      hears: hex`05 ff`,
      fails: 'ERR_SOCKS_NO_ACCEPTABLE_METHOD'
    },
    {
      name: 'that offers "no acceptable methods" itself',
      says: hex`05 01 ff ${request}`,
      hears: hex`05 ff`,
      fails: 'ERR_SOCKS_NO_ACCEPTABLE_METHOD'
    }
  ])
})

describe('a first byte that is no version of SOCKS is not answered', () => {
  conformance({}, [
    { name: '0', says: hex`00 01 00`, hears: hex``, fails: 'ERR_SOCKS_VERSION' },
    {
      name: '1: credentials before a greeting',
      says: hex`01 02 ${'me'} 02 ${'me'}`,
      hears: hex``,
      fails: 'ERR_SOCKS_VERSION'
    },
    { name: '6', says: hex`06 01 00`, hears: hex``, fails: 'ERR_SOCKS_VERSION' },
    { name: '0x16: a TLS ClientHello', says: hex`16 03 01 02 00 01 00`, hears: hex``, fails: 'ERR_SOCKS_VERSION' },
    { name: 'G: HTTP', says: hex`${'GET / HTTP/1.1\r\nHost: a\r\n\r\n'}`, hears: hex``, fails: 'ERR_SOCKS_VERSION' },
    {
      name: 'C: HTTP CONNECT',
      says: hex`${'CONNECT a:80 HTTP/1.1\r\n\r\n'}`,
      hears: hex``,
      fails: 'ERR_SOCKS_VERSION'
    },
    { name: '0xFF', says: hex`ff ff ff`, hears: hex``, fails: 'ERR_SOCKS_VERSION' }
  ])
})

describe('a user name and a password', () => {
  conformance({ methods: [withPassword] }, [
    {
      name: 'are asked for, checked, and followed by the request, all said at once',
      says: hex`05 01 02 01 05 ${'alice'} 0b ${'open sesame'} ${request}`,
      leaves: true,
      hears: hex`05 02 01 00 ${granted}`,
      does
    },
    {
      name: 'of 255 bytes each',
      says: hex`05 01 02 01 ff ${'u'.repeat(255)} ff ${'p'.repeat(255)} ${request}`,
      leaves: true,
      hears: hex`05 02 01 00 ${granted}`,
      does
    },
    {
      name: 'that are wrong: nothing behind them is done',
      says: hex`05 01 02 01 05 ${'alice'} 05 ${'guess'} ${request}`,
      hears: hex`05 02 01 01`,
      fails: 'ERR_SOCKS_AUTHENTICATION'
    },
    {
      name: 'of nobody',
      says: hex`05 01 02 01 03 ${'bob'} 0b ${'open sesame'} ${request}`,
      hears: hex`05 02 01 01`,
      fails: 'ERR_SOCKS_AUTHENTICATION'
    },
    {
      name: 'with an empty password, which is read as one',
      says: hex`05 01 02 01 05 ${'alice'} 00 ${request}`,
      hears: hex`05 02 01 01`,
      fails: 'ERR_SOCKS_AUTHENTICATION'
    },
    {
      name: 'with an empty user name',
      says: hex`05 01 02 01 00 0b ${'open sesame'} ${request}`,
      hears: hex`05 02 01 01`,
      fails: 'ERR_SOCKS_EMPTY_NAME'
    },
    {
      name: 'both empty',
      says: hex`05 01 02 01 00 00 ${request}`,
      hears: hex`05 02 01 01`,
      fails: 'ERR_SOCKS_EMPTY_NAME'
    },
    {
      name: 'in another version of the sub-negotiation',
      says: hex`05 01 02 02 05 ${'alice'} 0b ${'open sesame'} ${request}`,
      hears: hex`05 02 01 01`,
      fails: 'ERR_SOCKS_VERSION'
    },
    {
      name: 'in VER 5, a mistake of clients',
      says: hex`05 01 02 05 05 ${'alice'} 0b ${'open sesame'} ${request}`,
      hears: hex`05 02 01 01`,
      fails: 'ERR_SOCKS_VERSION'
    },
    {
      name: 'left out: the request comes in their place',
      says: hex`05 01 02 ${request}`,
      hears: hex`05 02 01 01`,
      fails: 'ERR_SOCKS_VERSION'
    },
    {
      name: 'not offered: a client that goes on all the same gets nowhere',
      says: hex`05 01 00 ${request}`,
      hears: hex`05 ff`,
      fails: 'ERR_SOCKS_NO_ACCEPTABLE_METHOD'
    },
    {
      name: 'beside GSSAPI and none: the one that the server can do',
      says: hex`05 03 000102 01 05 ${'alice'} 0b ${'open sesame'} ${request}`,
      leaves: true,
      hears: hex`05 02 01 00 ${granted}`,
      does
    }
  ])
})
