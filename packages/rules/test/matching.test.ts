import { describe, expect, it } from 'vitest'
import { parseRule } from '@it-socks/rules'
import { attempt } from './attempt.ts'

type Case = [rule: string, circumstances: Parameters<typeof attempt>[0], expected: boolean | undefined]

const matching = (rule: string, circumstances: Case[1]) => parseRule(rule).matches(attempt(circumstances))

const user = (username: string) => ({ identity: { method: 'username/password', username } })

describe('a rule about who and what', () => {
  it.each<Case>([
    ['deny everything', {}, true],
    ['deny everything', { to: 'example.com', from: null }, true],
    ['deny bind, udp', { command: 'bind' }, true],
    ['deny bind, udp', { command: 'udpAssociate' }, true],
    ['deny bind, udp', { command: 'connect' }, false],
    ['deny connect', { command: 'connect' }, true],
    ['deny resolve', { command: 'resolve' }, true],
    ['deny resolve', { command: 'resolvePtr' }, false],
    ['deny resolve-ptr', { command: 'resolvePtr' }, true],
    ['allow user alice, bob', user('alice'), true],
    ['allow user alice, bob', user('bob'), true],
    ['allow user alice', user('Alice'), false],
    ['allow user alice', user('alice '), false],
    ['allow user alice', {}, false],
    ['allow user "Bob B."', user('Bob B.'), true],
    ['allow user ""', {}, false],
    ['allow by none', {}, true],
    ['allow by none', user('none'), false],
    ['allow by username/password', user('alice'), true],
    ['allow by socks4 user alice', { identity: { method: 'socks4', username: 'alice' } }, true],
    ['allow by socks4 user alice', user('alice'), false]
  ])('%s: %j is %s', (rule, circumstances, expected) => {
    expect(matching(rule, circumstances)).toBe(expected)
  })
})

describe('a rule about where the client is', () => {
  it.each<Case>([
    ['deny from 10.0.0.0/8', { from: '10.255.255.255' }, true],
    ['deny from 10.0.0.0/8', { from: '11.0.0.0' }, false],
    ['deny from 10.0.0.0/8', { from: '::ffff:10.0.0.1' }, true],
    ['deny from 10.0.0.0/8', { from: null }, false],
    ['deny from 10.0.0.7', { from: '10.0.0.7' }, true],
    ['deny from 10.0.0.7', { from: '10.0.0.6' }, false],
    ['deny from 2001:db8::/32', { from: '2001:db8:ffff::1' }, true],
    ['deny from 2001:db8::/32', { from: '2001:db9::' }, false],
    ['deny from fe80::/10', { from: 'fe80::1%eth0' }, true],
    ['deny from 0.0.0.0/0', { from: '::1' }, false],
    ['allow from loopback', { from: '127.0.0.1' }, true],
    ['allow from loopback', { from: '::1' }, true],
    ['allow from loopback', { from: null }, true],
    ['allow from loopback', { from: '10.0.0.1' }, false],
    ['allow from private', { from: '192.168.1.1' }, true],
    ['allow from private', { from: null }, true],
    ['allow from private', { from: '8.8.8.8' }, false],
    // To allow takes the address itself.
    ['allow from private', { from: '2002:a00:1::1' }, false],
    ['deny from private', { from: '2002:a00:1::1' }, true],
    ['allow from anywhere', { from: '8.8.8.8' }, true],
    ['allow from anywhere', { from: null }, true],
    ['allow from anywhere', { from: 'a name' }, true],
    ['allow from private, 0.0.0.0/0, ::/0', { from: 'a name' }, false]
  ])('%s: %j is %s', (rule, circumstances, expected) => {
    expect(matching(rule, circumstances)).toBe(expected)
  })
})

describe('a rule about addresses', () => {
  it.each<Case>([
    ['deny to 192.0.2.0/24', { to: '192.0.2.255' }, true],
    ['deny to 192.0.2.0/24', { to: '192.0.3.0' }, false],
    ['deny to 192.0.2.0/24', { to: 'example.com' }, undefined],
    ['deny to 192.0.2.0/24', { to: 'example.com', ip: '192.0.2.1' }, true],
    ['deny to 192.0.2.0/24', { to: 'example.com', ip: '192.0.3.1' }, false],
    ['deny to 192.0.2.0/24', {}, undefined],
    ['deny to 192.0.2.0/25', { to: '192.0.2.127' }, true],
    ['deny to 192.0.2.0/25', { to: '192.0.2.128' }, false],
    ['deny to 2001:db8::/33', { to: '2001:db8:7fff::1' }, true],
    ['deny to 2001:db8::/33', { to: '2001:db8:8000::1' }, false],
    ['deny to 0.0.0.0/0', { to: '8.8.8.8' }, true],
    ['deny to 0.0.0.0/0', { to: '2001:db8::1' }, false],
    ['deny to ::/0', { to: '2001:db8::1' }, true],
    ['deny to ::/0', { to: '8.8.8.8' }, false],
    // A rule that denies sees through the ways to write IPv4 as IPv6; one that allows, only through the mapped one.
    ['deny to 192.0.2.0/24', { to: '::ffff:192.0.2.1' }, true],
    ['allow to 192.0.2.0/24', { to: '::ffff:192.0.2.1' }, true],
    ['deny to 192.0.2.0/24', { to: '64:ff9b::192.0.2.1' }, true],
    ['allow to 192.0.2.0/24', { to: '64:ff9b::192.0.2.1' }, false],
    ['deny to 192.0.2.0/24', { to: '2002:c000:201::1' }, true],
    ['allow to 192.0.2.0/24', { to: '2002:c000:201::1' }, false],
    ['allow to 64:ff9b::/96', { to: '64:ff9b::192.0.2.1' }, true],
    ['deny to 192.0.2.0/24', { to: 'example.com', ip: '::ffff:192.0.2.1' }, true],
    // Both are ways to say this machine.
    ['deny to loopback', { to: '127.0.0.1' }, true],
    ['deny to loopback', { to: '0.0.0.0' }, true],
    ['deny to loopback', { to: '::' }, true],
    ['deny to loopback', { to: '64:ff9b::7f00:1' }, true],
    ['deny to loopback', { to: '10.0.0.1' }, false],
    ['deny to loopback', { to: 'example.com' }, undefined],
    ['deny to private', { to: '10.0.0.1' }, true],
    ['deny to private', { to: '8.8.8.8' }, false],
    ['deny to private', {}, undefined],
    // To deny, the name is enough; to allow takes the address.
    ['deny to private', { to: 'foo.localhost.' }, true],
    ['deny to loopback', { to: 'LOCALHOST', ip: '8.8.8.8' }, true],
    ['allow to loopback', { to: 'localhost' }, undefined],
    ['allow to loopback', { to: 'localhost', ip: '127.0.0.1' }, true],
    ['allow to loopback', { to: 'localhost', ip: '8.8.8.8' }, false],
    ['deny to anywhere', {}, true],
    ['deny to anywhere', { to: 'example.com' }, true]
  ])('%s: %j is %s', (rule, circumstances, expected) => {
    expect(matching(rule, circumstances)).toBe(expected)
  })
})

describe('a rule about names', () => {
  it.each<Case>([
    ['allow to example.com', { to: 'example.com' }, true],
    ['allow to example.com', { to: 'www.example.com' }, true],
    ['allow to example.com', { to: 'a.b.example.com' }, true],
    ['allow to example.com', { to: 'EXAMPLE.com' }, true],
    ['allow to example.com', { to: 'Example.Com.' }, true],
    ['allow to example.com', { to: 'badexample.com' }, false],
    ['allow to example.com', { to: 'example.com.evil.example' }, false],
    ['allow to example.com', { to: 'example.org' }, false],
    ['allow to example.com', { to: 'com' }, false],
    ['allow to example.com', { to: 'example.com', ip: '192.0.2.1' }, true],
    ['allow to example.com', { to: 'example.org', ip: '192.0.2.1' }, false],
    ['allow to *.example.com', { to: 'www.example.com' }, true],
    ['allow to *.example.com', { to: 'example.com' }, false],
    ['allow to .example.com', { to: 'a.b.example.com.' }, true],
    ['allow to .example.com', { to: 'example.com.' }, false],
    ['deny to *.com', { to: 'example.com' }, true],
    ['deny to printer.', { to: 'printer' }, true],
    ['deny to printer.', { to: 'Printer.' }, true],
    // An address is no name, whatever it is the address of.
    ['deny to example.com', { to: '192.0.2.1' }, false],
    ['deny to example.com', {}, undefined],
    // What a resolver takes for the same name.
    ['deny to example.com', { to: 'ｅｘａｍｐｌｅ.com' }, true],
    ['deny to example.com', { to: 'www。example．com｡' }, true],
    ['deny to example.com', { to: 'exam\u00adple.com' }, true],
    ['deny to bücher.example', { to: 'xn--bcher-kva.example' }, true],
    ['deny to bücher.example', { to: 'BÜCHER.example' }, true],
    ['deny to xn--bcher-kva.example', { to: 'www.bücher.example' }, true],
    ['deny to example.com', { to: 'ü@example.com' }, false],
    ['deny to example.com', { to: 'ü\uff0f.example.com' }, true],
    ['deny to example.com, 192.0.2.0/24', { to: 'example.org' }, undefined],
    ['deny to example.com, 192.0.2.0/24', { to: 'example.com' }, true],
    ['deny to example.com, 192.0.2.0/24', { to: '192.0.2.1' }, true]
  ])('%s: %j is %s', (rule, circumstances, expected) => {
    expect(matching(rule, circumstances)).toBe(expected)
  })
})

describe('a rule about ports', () => {
  it.each<Case>([
    ['deny port 25', { to: 'example.com', port: 25 }, true],
    ['deny port 25', { to: 'example.com', port: 26 }, false],
    ['deny port 25', {}, undefined],
    ['deny port 1-1023', { to: 'example.com', port: 1 }, true],
    ['deny port 1-1023', { to: 'example.com', port: 1023 }, true],
    ['deny port 1-1023', { to: 'example.com', port: 0 }, false],
    ['deny port 1-1023', { to: 'example.com', port: 1024 }, false],
    ['deny port 80, 443', { to: 'example.com', port: 443 }, true],
    ['deny port 80, 443', { to: 'example.com', port: 81 }, false],
    ['deny port 53', { command: 'udpAssociate', to: '192.0.2.1', port: 53 }, true],
    // Who binds or resolves reaches no port: what its request has in the place of one does not count.
    ['deny port 25', { command: 'bind', to: '192.0.2.1', port: 25 }, false],
    ['allow port 0', { command: 'resolve', to: 'example.com', port: 0 }, false],
    ['allow port 0', { command: 'resolvePtr', to: '192.0.2.1', port: 0 }, false]
  ])('%s: %j is %s', (rule, circumstances, expected) => {
    expect(matching(rule, circumstances)).toBe(expected)
  })
})

describe('a rule of several parts', () => {
  const rule = 'allow connect user alice from 10.0.0.0/8 to 192.0.2.0/24 port 443'
  const all = { ...user('alice'), from: '10.0.0.1', to: '192.0.2.1', port: 443 }

  it.each<Case>([
    [rule, all, true],
    [rule, { ...all, command: 'bind' }, false],
    [rule, { ...all, ...user('bob') }, false],
    [rule, { ...all, from: '11.0.0.1' }, false],
    [rule, { ...all, to: '192.0.3.1' }, false],
    [rule, { ...all, port: 80 }, false],
    [rule, { ...all, to: 'example.com' }, undefined],
    // What is wrong is wrong, whatever the address.
    [rule, { ...all, to: 'example.com', port: 80 }, false],
    [rule, { ...all, to: 'example.com', from: '11.0.0.1' }, false]
  ])('%s: %j is %s', (rule, circumstances, expected) => {
    expect(matching(rule, circumstances)).toBe(expected)
  })
})
