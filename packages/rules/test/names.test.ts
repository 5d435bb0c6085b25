import { describe, expect, it } from 'vitest'
import { parseRule } from '@it-socks/rules'

describe('the name of a rule', () => {
  it.each([
    ['deny everything'],
    ['allow everything'],
    ['deny to private'],
    ['allow from loopback'],
    ['deny from anywhere to anywhere'],
    ['allow user alice to *.example.com port 443'],
    ['deny from 10.0.0.0/8 to 192.0.2.0/24, 198.51.100.7 port 1-1023'],
    ['allow connect to example.com port 80, 443'],
    ['deny bind, udp'],
    ['allow resolve, resolve-ptr'],
    ['allow user alice, bob'],
    ['allow user "Bob B."'],
    ['deny user "from", "or", "connect"'],
    ['deny user "\\"quoted\\"", "a\\\\b", "a,b", "# no comment"'],
    ['deny user ""'],
    ['allow user bob@example.com, a.b-c_d+e'],
    ['deny by socks4, none, username/password'],
    ['deny to 2001:db8::/32, 2001:db8::1'],
    ['deny to 0.0.0.0/0, ::/0'],
    ['deny to printer.'],
    ['deny to *.com'],
    ['deny to _srv.example.com, 1.example.com'],
    ['deny port 0, 65535']
  ])('is its text: %s', (text) => {
    expect(parseRule(text).name).toBe(text)
  })

  it.each([
    [
      'order',
      'deny port 80 to 192.0.2.1 from 10.0.0.0/8 by none user bob udp',
      'deny udp user bob by none from 10.0.0.0/8 to 192.0.2.1 port 80'
    ],
    [
      'or',
      'deny connect or udp to a.example or b.example port 1 or 2',
      'deny connect, udp to a.example, b.example port 1, 2'
    ],
    ['comma and or', 'deny bind, or udp', 'deny bind, udp'],
    ['spaces', '\t deny  bind ,udp\n', 'deny bind, udp'],
    ['no spaces', 'deny connect,udp port 1,2', 'deny connect, udp port 1, 2'],
    ['capitals of what is not a name', 'DENY Bind OR Udp To Private', 'deny bind, udp to private'],
    ['a comment', 'deny bind # not needed, "here', 'deny bind'],
    ['quotes without need', 'deny user "alice" to "example.com"', 'deny user alice to example.com'],
    ['a user that needs quotes', 'deny user DOMAIN\\alice', 'deny user "DOMAIN\\\\alice"'],
    ['invisible characters', 'deny user "a\\u009b\u202e"', 'deny user "a\\u009b\\u202e"'],
    ['a user beyond ASCII', 'deny user jürgen', 'deny user "jürgen"'],
    ['localhost', 'allow from localhost to LOCALHOST', 'allow from loopback to loopback'],
    ['a leading dot', 'deny to .example.com', 'deny to *.example.com'],
    [
      'capitals and a trailing dot',
      'deny to WWW.Example.COM., *.Example.com.',
      'deny to www.example.com, *.example.com'
    ],
    ['an international name', 'deny to Bücher.example', 'deny to xn--bcher-kva.example'],
    ['a name of one label', 'deny to Printer.', 'deny to printer.'],
    ['IPv6', 'deny to 2001:DB8:0:0::1', 'deny to 2001:db8::1'],
    ['brackets', 'deny to [2001:db8::1]', 'deny to 2001:db8::1'],
    ['a network of one', 'deny to 192.0.2.1/32, ::1/128', 'deny to 192.0.2.1, ::1'],
    ['IPv4 mapped into IPv6', 'deny to ::ffff:10.0.0.0/104, ::ffff:192.0.2.1', 'deny to 10.0.0.0/8, 192.0.2.1'],
    ['all of IPv4 mapped into IPv6', 'deny to ::ffff:0:0/96', 'deny to 0.0.0.0/0'],
    ['ports', 'deny port 0080, 443-443', 'deny port 80, 443']
  ])('is in one form: %s', (_, text, name) => {
    expect(parseRule(text).name).toBe(name)
  })
})
