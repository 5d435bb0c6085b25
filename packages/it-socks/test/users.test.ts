import { writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { temporaryFile } from '../../../test/support/temporary.ts'
import { UsageError } from '../src/failure.ts'
import { costOf, withCost, type Compare } from '../src/serve/bcrypt.ts'
import { checkNames, parseUser, readUsers, verifyUsers } from '../src/serve/users.ts'

const options = { signal: new AbortController().signal }
/** Of `open sesame`, as `htpasswd -B` writes it. */
const hashed = '$2y$05$xQql5Oyw.6oPEhPHoGKayemSYu999wPHRxXwe6VH614BmaapWcjrm'

describe('parseUser', () => {
  it('takes everything after the first colon for the password', () => {
    expect(parseUser('alice:open: sesame')).toEqual({ name: 'alice', secret: { password: 'open: sesame' } })
  })

  it('knows a bcrypt hash', () => {
    expect(parseUser(`alice:${hashed}`)).toEqual({ name: 'alice', secret: { hash: hashed } })
  })

  it.each([
    ' alice:secret',
    'alice :secret',
    'alice: secret',
    'alice:secret ',
    'alice:\tsecret',
    ` :secret`,
    'alice: '
  ])('refuses %j instead of guessing whether the spaces are meant', (text) => {
    expect(() => parseUser(text)).toThrow(/^takes name:password without spaces around either/)
  })

  it('refuses a hash that takes too long to compare with', () => {
    expect(parseUser(`alice:${hashed.replace('$05$', '$15$')}`).secret).toHaveProperty('hash')
    expect(() => parseUser(`alice:${hashed.replace('$05$', '$16$')}`)).toThrow(
      new UsageError('takes bcrypt hashes of a cost of at most 15, not 16')
    )
  })

  it.each(['alice', ':secret', 'alice:', ''])('refuses %j, which has no name or no password', (text) => {
    expect(() => parseUser(text)).toThrow(new UsageError('takes name:password'))
  })

  it.each([
    '$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/',
    '{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=',
    '$2y$05$tooshort',
    '$6$salt$hash'
  ])('refuses %s instead of taking a hash for a password', (secret) => {
    expect(() => parseUser(`alice:${secret}`)).toThrow(/bcrypt/)
  })

  it('refuses what SOCKS cannot carry, counted in bytes', () => {
    expect(parseUser(`${'ü'.repeat(127)}:secret`).name).toHaveLength(127)
    expect(() => parseUser(`${'ü'.repeat(128)}:secret`)).toThrow('takes a name of at most 255 bytes')
    expect(() => parseUser(`alice:${'x'.repeat(256)}`)).toThrow('takes a password of at most 255 bytes')
  })

  it.each(['alice-secret', `alice:${'secret'.repeat(50)}`, 'alice:$apr1$secret'])(
    'does not repeat a password: %s',
    (text) => {
      expect(() => parseUser(text)).toThrow(UsageError)
      expect(() => parseUser(text)).toThrow(expect.not.objectContaining({ message: expect.stringContaining('secret') }))
    }
  )
})

describe('readUsers', () => {
  it('reads a user a line, with or without a hash, and skips comments and empty lines', async () => {
    const file = await temporaryFile('users', `\uFEFF# staff\r\nalice:${hashed}\r\n\n  \nbob:#1\n`)
    expect(await readUsers(file)).toEqual([
      { name: 'alice', secret: { hash: hashed } },
      { name: 'bob', secret: { password: '#1' } }
    ])
  })

  it('says which line is wrong, and nothing of what stands there', async () => {
    const file = await temporaryFile('users', '# staff\nalice:secret\nbob-secret\n')
    await expect(readUsers(file)).rejects.toThrow(new UsageError(`--users takes name:password: ${file}, line 3`))
  })

  it('says which line has spaces around a name or a password', async () => {
    const file = await temporaryFile('users', 'bob:secret\n alice : secret \n')
    await expect(readUsers(file)).rejects.toThrow(/^--users takes .* without spaces .*: \S+, line 2$/)
  })

  it('says which line has a hash of too high a cost', async () => {
    const file = await temporaryFile('users', `alice:${hashed}\nbob:${hashed.replace('$05$', '$31$')}\n`)
    await expect(readUsers(file)).rejects.toThrow(
      new UsageError(`--users takes bcrypt hashes of a cost of at most 15, not 31: ${file}, line 2`)
    )
  })

  it('refuses a file that has no users', async () => {
    const file = await temporaryFile('users', '# nobody\n')
    await expect(readUsers(file)).rejects.toThrow(new UsageError(`--users names a file without users: ${file}`))
  })

  it('refuses a file that is not UTF-8', async () => {
    const file = await temporaryFile('users', '')
    await writeFile(file, Uint8Array.of(0x61, 0x3a, 0xff))
    await expect(readUsers(file)).rejects.toThrow('is not UTF-8')
  })

  it('says why a file cannot be read', async () => {
    const file = await temporaryFile('users', 'alice:secret')
    await expect(readUsers(`${file}.bak`)).rejects.toThrow(
      new UsageError(`--users names a file that cannot be read: ${file}.bak: ENOENT`)
    )
  })
})

describe('readUsers, given something else than a file', () => {
  it.each(['alice:secret', 'alice:se/cret', `alice:${'secret'.repeat(60)}`])(
    'does not repeat %s, which may be a user and a password',
    async (text) => {
      const error: unknown = await readUsers(text).catch((error: unknown) => error)
      expect(error).toBeInstanceOf(UsageError)
      expect((error as Error).message).toMatch(/^--users takes the path of a file, not name:password: E[A-Z]+$/)
      expect((error as Error).message).not.toContain('cret')
    }
  )
})

describe('checkNames', () => {
  it('refuses two users of one name', () => {
    const users = ['alice:1', 'bob:1', 'alice:2'].map(parseUser)
    expect(() => checkNames(users)).toThrow('two users are called "alice"')
    expect(() => checkNames(users.slice(0, 2))).not.toThrow()
  })
})

describe('verifyUsers', () => {
  it('lets users in with passwords and with hashes, and nobody else', async () => {
    const verify = verifyUsers(['alice:plain', `carol:${hashed}`, '__proto__:x'].map(parseUser))
    const attempts = [
      ['alice', 'plain', true],
      ['alice', 'open sesame', false],
      ['alice', '', false],
      ['carol', 'open sesame', true],
      ['carol', 'plain', false],
      ['carol', hashed, false],
      ['bob', 'plain', false],
      ['bob', 'open sesame', false],
      ['__proto__', 'x', true],
      ['constructor', '', false]
    ] as const
    for (const [username, password, right] of attempts) {
      expect(await verify({ username, password }, options), `${username}:${password}`).toBe(right)
    }
  })
  it('compares as long for everybody as for nobody: every login takes the rounds of the highest cost', async () => {
    const rounds: number[] = []
    const compare: Compare = (_password, hashes) => {
      rounds.push(hashes.reduce((sum, hash) => sum + 2 ** costOf(hash)!, 0))
      return Promise.resolve(true)
    }
    const users = [`low:${withCost(hashed, 4)}`, `middle:${hashed}`, `high:${withCost(hashed, 8)}`, 'plain:secret']
    const verify = verifyUsers(users.map(parseUser), compare)
    const right: boolean[] = []
    for (const username of ['low', 'middle', 'high', 'plain', 'nobody']) {
      right.push(await verify({ username, password: 'open sesame' }, options))
    }
    expect(right).toEqual([true, true, true, false, false])
    expect(rounds).toEqual(Array.from({ length: 5 }, () => 2 ** 8))
  })
})
