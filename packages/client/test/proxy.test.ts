import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { ConfigurationError } from '@it-socks/protocol'
import { connect, parseProxy } from '@it-socks/client'

describe('parseProxy', () => {
  it.each([
    ['socks5://proxy.example', { host: 'proxy.example', port: 1080, names: 'local' }],
    ['socks5h://proxy.example', { host: 'proxy.example', port: 1080, names: 'remote' }],
    ['socks5h://proxy.example:9050', { host: 'proxy.example', port: 9050, names: 'remote' }],
    ['SOCKS5H://127.0.0.1:9050/', { host: '127.0.0.1', port: 9050, names: 'remote' }],
    ['socks5h://[::1]:9050', { host: '::1', port: 9050, names: 'remote' }],
    ['socks5h://bücher.example', { host: 'bücher.example', port: 1080, names: 'remote' }],
    ['socks4://proxy.example', { host: 'proxy.example', port: 1080, version: 4, names: 'local' }],
    ['socks4a://proxy.example:9050', { host: 'proxy.example', port: 9050, version: 4, names: 'remote' }]
  ])('reads %s', (url, proxy) => {
    expect(parseProxy(url)).toEqual(proxy)
    expect(parseProxy(new URL(url))).toEqual(proxy)
  })

  it.each([
    ['socks5h://alice:open%20sesame@h', { username: 'alice', password: 'open sesame' }],
    ['socks5h://al%40ice:p%3A%2F%25@h', { username: 'al@ice', password: 'p:/%' }],
    ['socks5h://%D0%B0:%D0%B1@h', { username: 'а', password: 'б' }],
    ['socks5h://alice:@h', { username: 'alice', password: '' }],
    ['socks5h://alice@h', { username: 'alice', password: '' }]
  ])('reads the user and the password of %s', (url, credentials) => {
    expect(parseProxy(url)).toMatchObject(credentials)
  })

  it.each(['socks4://al%40ice@h', 'socks4a://al%40ice:@h'])('reads the user id of %s, which has no password', (url) => {
    expect(parseProxy(url)).toMatchObject({ username: 'al@ice' })
    expect(parseProxy(url)).not.toHaveProperty('password')
  })

  it('has no user and no password where the URL has none', () => {
    expect(Object.keys(parseProxy('socks5h://h'))).toEqual(['host', 'port', 'names'])
  })

  const wrong = [
    ['another scheme', 'http://alice:hunter2@h:1080'],
    ['SOCKS of no version, which is another one for everybody', 'socks://alice:hunter2@h:1080'],
    ['a password for SOCKS4, which has none', 'socks4://alice:hunter2@h:1080'],
    ['a password for SOCKS4a, which has none', 'socks4a://alice:hunter2@h:1080'],
    ['no scheme', 'alice:hunter2@h:1080'],
    ['no scheme and no user', '127.0.0.1:1080'],
    ['no scheme, and the password first', 'hunter2:alice@h:1080'],
    ['no host', 'socks5://'],
    ['a host that acts on a terminal', 'socks5://alice:hunter2@h%1b%5b31m'],
    ['a host of two lines', 'socks5://alice:hunter2@h%0ah'],
    ['a port that is none', 'socks5://alice:hunter2@h:70000'],
    ['half an IPv6 address', 'socks5://alice:hunter2@[::1'],
    ['a password that is not percent-encoded', 'socks5://alice:hunter2%@h'],
    ['a password that is not UTF-8', 'socks5://alice:hunter2%ff@h'],
    ['a host that is not UTF-8', 'socks5://alice:hunter2@h%ff'],
    ['a password without a user', 'socks5://:hunter2@h'],
    ['the path of a unix socket', 'socks5h://alice:hunter2@localhost/hunter2.sock'],
    ['a path that is an empty name', 'socks5h://alice:hunter2@h//'],
    ['a query', 'socks5h://alice:hunter2@h?hunter2'],
    ['a fragment', 'socks5h://alice:hunter2@h#hunter2'],
    ['nothing', '']
  ] as const

  it.each(wrong)('refuses %s: %s', (_, url) => {
    expect(() => parseProxy(url)).toThrow(ConfigurationError)
  })

  it.each(wrong)('never shows the password, with %s', async (_, url) => {
    const error = await connect({ proxy: url, destination: 'example.com:80' }).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toMatch(/hunter2/)
  })
})
