import { describe, expect, it } from 'vitest'
import { ConfigurationError } from '@it-socks/protocol'
import { parseRule, parseRules } from '@it-socks/rules'

describe('a mistake in a rule', () => {
  it.each([
    ['', 'a rule starts with "allow" or "deny"'],
    ['# deny everything', 'a rule starts with "allow" or "deny"'],
    ['permit to example.com', 'a rule starts with "allow" or "deny"'],
    ['"deny" everything', 'a rule starts with "allow" or "deny"'],
    [', deny everything', 'a rule starts with "allow" or "deny"'],
    ['deny', 'deny what? "deny everything" is a rule'],
    ['deny everything to example.com', '"everything" stands alone'],
    ['deny to example.com everything', '"everything" stands alone'],
    ['deny to', '"to" is missing at the end'],
    ['deny to port 80', '"to" is missing before "port"'],
    ['deny user to example.com', 'a user of that name is "to"'],
    ['deny user alice,', '"user" is missing at the end'],
    ['deny user alice, , bob', '"user" is missing before ","'],
    ['deny user alice or', '"user" is missing at the end'],
    ['deny bind,', 'list of commands is missing at the end'],
    ['deny bind, ftp', '"ftp" is no command: connect, bind, udp, resolve, resolve-ptr are'],
    ['deny bind, to example.com', '"to" is no command'],
    ['deny bind udp', 'a second list of commands'],
    ['deny to a.example to b.example', 'a second "to": between alternatives goes a comma'],
    ['deny to a.example b.example', '"b.example" is not understood here'],
    ['deny to a.example and b.example', 'between alternatives goes a comma or "or"'],
    ['deny example.com', '"example.com" is not understood here: a part starts with connect, bind'],
    ['deny everything allow everything', '"everything" stands alone'],
    ['deny user "alice', 'the quote that starts at "\\"alice" does not end'],
    ['deny user "a\\qb"', 'is not a quoted name'],
    ['deny user "a\tb"', 'is not a quoted name'],
    // Places.
    ['deny to example.com:443', 'the port goes into a part of its own, as in "to example.com port 443"'],
    ['deny to 192.0.2.1:443', 'as in "to 192.0.2.1 port 443"'],
    ['deny to [2001:db8::1]:443', 'as in "to [2001:db8::1] port 443"'],
    ['deny to 2001:db8::1::', 'it is no IPv6 address'],
    ['deny to fe80::1%eth0', 'leave it out'],
    ['deny to fe80::%eth0/10', 'leave it out'],
    ['deny to 10.0.0.1/8', 'the network starts at 10.0.0.0: write 10.0.0.0/8, or the address alone'],
    ['deny to 192.0.2.129/25', 'write 192.0.2.128/25'],
    ['deny to 2001:db8::1/33', 'write 2001:db8::/33'],
    ['deny to ::ffff:0.0.0.0/95', 'the network starts at ::fffe:0:0'],
    ['deny to 10.0.0.0/33', 'how many bits of the address count, 0 to 32'],
    ['deny to ::/129', 'how many bits of the address count, 0 to 128'],
    ['deny to 10.0.0.0/255.0.0.0', 'how many bits'],
    ['deny to 10.0.0.0/', 'how many bits'],
    ['deny to 10.0.0.0/-1', 'how many bits'],
    ['deny to 10/8', 'before the slash goes a whole IP address'],
    ['deny to https://example.com/', 'before the slash goes a whole IP address'],
    ['deny to /8', 'before the slash goes a whole IP address'],
    ['deny to 10.0.0', 'it is no name, for it ends with a number, and no IPv4 address'],
    ['deny to 127.1', 'ends with a number'],
    ['deny to 2130706433', 'ends with a number'],
    ['deny to 0x7f000001', 'ends with a number'],
    ['deny to 300.0.0.1', 'ends with a number'],
    ['deny to 010.0.0.1', 'ends with a number'],
    ['deny to 10.0.0.*', 'neither an address nor a name'],
    ['deny to １２７.0.0.1', 'ends with a number'],
    ['deny to privat', 'none of anywhere, loopback and private; a name without a dot is written "privat."'],
    ['deny to *', 'neither an address nor a name'],
    ['deny to *.', 'neither an address nor a name'],
    ['deny to .', 'neither an address nor a name'],
    ['deny to ""', 'neither an address nor a name'],
    ['deny to "a b.example"', 'neither an address nor a name'],
    ['deny to www.*.example', 'neither an address nor a name'],
    ['deny to a..example', 'neither an address nor a name'],
    [`deny to ${'a'.repeat(64)}.example`, 'neither an address nor a name'],
    [`deny to ${'a.'.repeat(126)}example`, 'neither an address nor a name'],
    ['deny from example.com', 'behind "from" goes an IP address'],
    ['deny from localhos', 'behind "from" goes an IP address'],
    // Ports.
    ['deny port http', 'behind "port" go numbers'],
    ['deny port 65536', 'behind "port" go numbers'],
    ['deny port 0-65536', 'behind "port" go numbers'],
    ['deny port 443-80', 'behind "port" go numbers'],
    ['deny port 80-', 'behind "port" go numbers'],
    ['deny port -80', 'behind "port" go numbers'],
    ['deny port 1 - 2', '"-" is not understood here'],
    ['deny bind port 20', '"port" is about connect and udp: bind reaches no port'],
    ['deny connect, resolve port 53', '"port" is about connect and udp: resolve reaches no port']
  ])('%j: %s', (text, message) => {
    expect(() => parseRule(text)).toThrow(ConfigurationError)
    expect(() => parseRule(text)).toThrow(message)
  })

  it('is shown with its rule, on one line and not longer than a line', () => {
    expect(() => parseRule(' deny to privat ')).toThrow(/^cannot read the rule "deny to privat": "privat": /)
    const message = (text: string) => {
      try {
        parseRule(text)
      } catch (error) {
        return (error as Error).message
      }
      return ''
    }
    expect(message(`deny to "\u001b[31m\n\u009b${'x'.repeat(10_000)}"`)).not.toMatch(/[\p{Cc}]/u)
    expect(message(`deny to ${'x'.repeat(10_000)}:80`).length).toBeLessThan(500)
  })
})

describe('a file of rules', () => {
  it('has one a line, comments and empty lines', () => {
    const text = '\uFEFF# for all\r\n\r\n  deny to private # none of these\r\nallow user "#1" \n\t\n#\nallow everything'
    expect(parseRules(text).map(({ name }) => name)).toEqual(['deny to private', 'allow user "#1"', 'allow everything'])
  })

  it('may be empty', () => {
    expect(parseRules('')).toEqual([])
    expect(parseRules('\n# nothing\n')).toEqual([])
  })

  it.each(['\n', '\r\n', '\r'])('tells in which line a mistake is, between %j', (end) => {
    const text = ['# rules', '', 'deny to private', 'deny to privat', 'deny'].join(end)
    expect(() => parseRules(text)).toThrow(ConfigurationError)
    expect(() => parseRules(text)).toThrow(/^line 4: cannot read the rule "deny to privat": /)
  })
})
