import { describe, expect, it } from 'vitest'
import {
  AuthenticationError,
  EmptyNameError,
  TextError,
  TruncatedError,
  VersionError,
  type Credentials
} from '@it-socks/protocol'
import { authenticate, usernamePassword, users, type Verify } from '@it-socks/auth'
import { frames, handshake, pipe, type ByteDuplex } from '@it-socks/stage'
import { client, cutAt, hex, play, playOnce, server, type Chunking, type Line } from '@it-socks/testing'

const table = users({ alice: 'open sesame', zoë: 'пароль' })

/** The server side of method 0x02, from the credentials on; what comes of it is the identity. */
const conversation = (script: readonly Line[], verify: Verify, signal?: AbortSignal) => ({
  script: [client`05 01 02`, server`05 02`, ...script],
  testing: 'server' as const,
  run: async (duplex: ByteDuplex) => {
    const head = frames(signal && { signal })
    const stage = authenticate([usernamePassword({ verify })])
    return (await pipe(duplex, head, stage, handshake(duplex))).context.identity
  }
})

const serve = (script: readonly Line[], verify: Verify = table) => play(conversation(script, verify))

/** All at once and then the end: the client is gone when the server answers. */
const thenLeave: Chunking[] = [
  { name: 'glued', glued: true, cutBefore: () => false },
  { name: 'glued, byte by byte', glued: true, cutBefore: () => true }
]

const alice = client`01 05 ${'alice'} 0b ${'open sesame'}`

describe('username and password, the server', () => {
  it('lets the right credentials in', async () => {
    expect(await serve([alice, server`01 00`])).toEqual({ method: 'username/password', username: 'alice' })
  })

  it('counts bytes, not characters', async () => {
    const script = [client`01 04 ${'zoë'} 0c ${'пароль'}`, server`01 00`]
    expect(await serve(script)).toEqual({ method: 'username/password', username: 'zoë' })
  })

  it('takes names and passwords of 255 bytes', async () => {
    const long = 'x'.repeat(255)
    const script = [client`01 ff ${long} ff ${long}`, server`01 00`]
    expect(await serve(script, users({ [long]: long }))).toEqual(expect.objectContaining({ username: long }))
  })

  it.each([
    { wrong: 'password', line: client`01 05 ${'alice'} 05 ${'wrong'}` },
    { wrong: 'user', line: client`01 03 ${'bob'} 0b ${'open sesame'}` },
    { wrong: 'case of the password', line: client`01 05 ${'alice'} 0b ${'Open sesame'}` },
    { wrong: 'password, for it is empty', line: client`01 05 ${'alice'} 00` }
  ])('answers failure to the wrong $wrong', async ({ line }) => {
    await expect(serve([line, server`01 01`])).rejects.toThrow(AuthenticationError)
  })

  it('writes a name with control characters so that it cannot forge a line of a log', async () => {
    const refused = serve([client`01 03 61 0a 62 01 78`, server`01 01`])
    await expect(refused).rejects.toThrow('wrong credentials for "a\\nb"')
  })

  it('keeps the password out of the error', async () => {
    const refused = serve([client`01 05 ${'alice'} 07 ${'hunter2'}`, server`01 01`])
    await expect(refused).rejects.toMatchObject({
      message: 'wrong credentials for "alice"',
      code: 'ERR_SOCKS_AUTHENTICATION'
    })
  })

  it.each([
    { malformed: 'the version of SOCKS in place of 1', line: client`05 05 ${'alice'} 02 ${'pw'}`, error: VersionError },
    { malformed: 'no user name', line: client`01 00 02 ${'pw'}`, error: EmptyNameError },
    { malformed: 'a user name that is not UTF-8', line: client`01 02 c3 28 02 ${'pw'}`, error: TextError },
    { malformed: 'a password that is not UTF-8', line: client`01 05 ${'alice'} 01 ff`, error: TextError }
  ])('answers failure to $malformed', async ({ line, error }) => {
    await expect(serve([line, server`01 01`])).rejects.toThrow(error)
  })

  it('answers failure to credentials that end early, wherever that is', async () => {
    for (let length = 0; length < alice.bytes.length; length++) {
      const script = [client`${alice.bytes.slice(0, length)}`, server`01 01`]
      for (const chunking of thenLeave) {
        await expect(playOnce(conversation(script, table), chunking)).rejects.toThrow(TruncatedError)
      }
    }
  })
})

describe('verify', () => {
  it('may take its time', async () => {
    const script = [alice, server`01 00`]
    const slow: Verify = (given, options) =>
      new Promise((resolve) => {
        setImmediate(() => resolve(table(given, options)))
      })
    expect(await serve(script, slow)).toEqual(expect.objectContaining({ username: 'alice' }))
  })

  it('may answer at once', async () => {
    const seen: Credentials[] = []
    const verify: Verify = (given) => {
      seen.push(given)
      return true
    }
    await serve([alice, server`01 00`], verify)
    expect(seen[0]).toEqual({ username: 'alice', password: 'open sesame' })
  })

  it.each([
    { how: 'rejects', verify: () => Promise.reject(new Error('the database is away')) },
    {
      how: 'throws',
      verify: () => {
        throw new Error('the database is away')
      }
    }
  ])('that $how is a failure to the client, with its error as cause', async ({ verify }) => {
    await expect(serve([alice, server`01 01`], verify)).rejects.toMatchObject({
      name: 'AuthenticationError',
      message: 'the credentials of "alice" could not be verified',
      cause: new Error('the database is away')
    })
  })

  it('is told by the signal that nobody waits any more', async () => {
    const owner = new AbortController()
    const verify: Verify = (_, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
        owner.abort(new Error('shutting down'))
      })
    await expect(playOnce(conversation([alice], verify, owner.signal), cutAt())).rejects.toThrow('shutting down')
  })
})

describe('users', () => {
  const verify = users({ alice: 'open sesame', nobody: '' })
  const check = (username: string, password: string) => verify({ username, password }, { signal: AbortSignal.abort() })

  it('knows its users and their passwords', async () => {
    expect(await check('alice', 'open sesame')).toBe(true)
    expect(await check('alice', 'open sesame ')).toBe(false)
    expect(await check('alice', '')).toBe(false)
  })

  it('knows nobody else, with whatever password', async () => {
    expect(await check('bob', 'open sesame')).toBe(false)
    expect(await check('bob', '')).toBe(false)
    expect(await check('', '')).toBe(false)
  })

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype'])(
    'takes the name %s for a name like any other',
    async (name) => {
      expect(await check(name, '')).toBe(false)
      expect(await check(name, 'undefined')).toBe(false)
      const own = users(JSON.parse(`{ "${name}": "theirs" }`))
      expect(await own({ username: name, password: 'theirs' }, { signal: AbortSignal.abort() })).toBe(true)
    }
  )

  it('lets a user have an empty password', async () => {
    expect(await check('nobody', '')).toBe(true)
    expect(await check('nobody', 'x')).toBe(false)
  })

  it('does not change with the table after it was made', async () => {
    const table: Record<string, string> = { alice: 'old' }
    const verify = users(table)
    table['alice'] = 'new'
    expect(await verify({ username: 'alice', password: 'old' }, { signal: AbortSignal.abort() })).toBe(true)
  })

  it('compares bytes: text that only looks alike is another password', async () => {
    const composed = users({ alice: 'é' })
    expect(hex`${'é'}`).not.toEqual(hex`${'e\u0301'}`)
    expect(await composed({ username: 'alice', password: 'e\u0301' }, { signal: AbortSignal.abort() })).toBe(false)
  })
})
