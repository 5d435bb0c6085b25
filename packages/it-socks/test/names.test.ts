import { describe, expect, it } from 'vitest'
import { UnresolvableError } from '@it-socks/protocol'
import { namesResolve } from '../src/serve/names.ts'

const unresolvable = `${'x'.repeat(64)}.invalid`

describe('namesResolve', () => {
  it('knows the hosts of the command line, all addresses of a name that is there twice, whatever the case', async () => {
    const resolve = namesResolve({
      host: [
        ['a.example', ['192.0.2.1', '2001:db8::1']],
        ['b.example', ['192.0.2.2']],
        ['A.example', ['192.0.2.3']]
      ]
    })
    expect(await resolve('a.example')).toEqual(['192.0.2.1', '2001:db8::1', '192.0.2.3'])
    expect(await resolve('B.EXAMPLE')).toEqual(['192.0.2.2'])
  })

  it('asks the system for other names', async () => {
    const resolve = namesResolve({ host: [['a.example', ['192.0.2.1']]] })
    expect(await resolve('localhost', { family: 4 })).toEqual(['127.0.0.1'])
    await expect(resolve(unresolvable)).rejects.toBeInstanceOf(UnresolvableError)
  })

  it('has only addresses of the family that is wanted, and none where another is asked for', async () => {
    const resolve = namesResolve({ host: [['a.example', ['192.0.2.1', '2001:db8::1']]], family: 6 })
    expect(await resolve('a.example')).toEqual(['2001:db8::1'])
    expect(await resolve('a.example', { family: 6 })).toEqual(['2001:db8::1'])
    await expect(resolve('a.example', { family: 4 })).rejects.toBeInstanceOf(UnresolvableError)
  })
})
