import { describe, expect, it } from 'vitest'
import { authenticate, none, usernamePassword, users } from '@it-socks/auth'
import { command, connect, request } from '@it-socks/command'
import { RefusedError, RuleError, addressType, type Address } from '@it-socks/protocol'
import { authorize, ownAddresses, parseRules, privateNetworks, type Rule, type Verdict } from '@it-socks/rules'
import { frames, handshake, pipe, type ByteDuplex, type Dial, type Permit } from '@it-socks/stage'
import { client, duplexPair, play, server, type Line } from '@it-socks/testing'

const greeted = [client`05 01 00`, server`05 00`]
const notAllowed = server`05 02 00 01 00000000 0000`
const granted = server`05 00 00 01 c0000201 0001`
const toName = client`05 01 00 03 0b ${'example.com'} 0050`
const toLoopback = client`05 01 00 01 7f000001 0050`

interface Setting {
  rules: readonly Rule[]
  otherwise?: Verdict
  /** Where the client is; `null`: it came by a unix socket. Default: far away. */
  from?: string | null
  /** What every name resolves to. Default: nothing. */
  answers?: readonly string[]
}

/** Plays the client to a proxy with these rules; what comes of it is what was looked up and dialled. */
const serve = async (
  { rules, otherwise, from = '198.51.100.99', answers = [] }: Setting,
  ...script: readonly Line[]
) => {
  const lookedUp = new Set<string>()
  const dialled = new Set<string>()
  const dial: Dial = async ({ host }, { permit } = {}) => {
    const isName = addressType(host) === 'domain'
    if (isName) lookedUp.add(host)
    const ips = isName ? answers : [host]
    for (const ip of ips) permit?.(ip)
    for (const ip of ips) dialled.add(ip)
    return duplexPair()[0]
  }
  const run = async (duplex: ByteDuplex) => {
    const connection = { remoteAddress: from === null ? undefined : { host: from, port: 50_000 } }
    await pipe(
      duplex,
      frames({ context: { connection } }),
      authenticate([usernamePassword({ verify: users({ alice: 'open sesame' }) }), none()]),
      request(),
      authorize(rules, otherwise === undefined ? {} : { otherwise }),
      command({ connect: connect(dial) }),
      handshake(duplex)
    )
  }
  const [outcome] = await Promise.allSettled([play({ script, testing: 'server', run })])
  const error: unknown = outcome.status === 'rejected' ? outcome.reason : undefined
  return { error, lookedUp: [...lookedUp], dialled: [...dialled] }
}

const refusedBy = (rule: string) => expect.objectContaining({ name: 'RuleError', code: 'ERR_SOCKS_RULE', rule })

describe('authorize', () => {
  it('lets pass what no rule matches', async () => {
    const rules = parseRules('deny to example.org')
    expect(await serve({ rules, answers: ['192.0.2.7'] }, ...greeted, toName, granted)).toEqual({
      error: undefined,
      lookedUp: ['example.com'],
      dialled: ['192.0.2.7']
    })
  })

  it('refuses what no rule matches where it is told to', async () => {
    const rules = parseRules('allow to example.org')
    const served = await serve({ rules, otherwise: 'deny' }, ...greeted, toName, notAllowed)
    expect(served).toEqual({ error: refusedBy('no rule allows it'), lookedUp: [], dialled: [] })
    expect((served.error as Error).message).toBe('CONNECT example.com:80 is not allowed: no rule allows it')
  })

  it('refuses a name without looking it up, with the rule in the error', async () => {
    const rules = parseRules('deny to Example.com port 80')
    const served = await serve({ rules }, ...greeted, toName, notAllowed)
    expect(served).toEqual({ error: refusedBy('deny to example.com port 80'), lookedUp: [], dialled: [] })
  })

  it('looks up no name that is denied whatever its address', async () => {
    const rules = parseRules('deny to 192.0.2.0/24\ndeny to anywhere')
    const served = await serve({ rules }, ...greeted, toName, notAllowed)
    expect(served).toEqual({ error: refusedBy('deny to anywhere'), lookedUp: [], dialled: [] })
  })

  it('refuses an address at once', async () => {
    const served = await serve({ rules: [privateNetworks] }, ...greeted, toLoopback, notAllowed)
    expect(served).toMatchObject({ error: refusedBy(privateNetworks.name), dialled: [] })
  })

  it.each(['127.0.0.1', '::1', '::ffff:7f00:1', '64:ff9b::7f00:1', '169.254.169.254', '0.0.0.0'])(
    'refuses a name that is allowed and resolves to %s, and dials nothing',
    async (ip) => {
      const rules = [privateNetworks, ...parseRules('allow to example.com')]
      const served = await serve({ rules, answers: [ip], otherwise: 'deny' }, ...greeted, toName, notAllowed)
      expect(served).toEqual({ error: refusedBy(privateNetworks.name), lookedUp: ['example.com'], dialled: [] })
    }
  )

  it('says of a refused answer what it was an answer to', async () => {
    const rules = parseRules('deny to 192.0.2.0/24')
    const { error } = await serve({ rules, answers: ['192.0.2.7'] }, ...greeted, toName, notAllowed)
    expect((error as Error).message).toBe('CONNECT example.com:80 (192.0.2.7) is not allowed: deny to 192.0.2.0/24')
  })

  it.each(['127.1', '2130706433', '0x7f.1', '017700000001', '0177.0.0.1'])(
    'refuses %s, which is a name to us and 127.0.0.1 to the resolver',
    async (host) => {
      const asking = client`05 01 00 03 ${Uint8Array.of(host.length)} ${host} 0050`
      const setting = { rules: [privateNetworks], answers: ['127.0.0.1'] }
      const { error, dialled } = await serve(setting, ...greeted, asking, notAllowed)
      expect((error as Error).message).toContain(`CONNECT ${host}:80 (127.0.0.1) is not allowed`)
      expect(dialled).toEqual([])
    }
  )

  it.each([null, '127.0.0.1', '::ffff:127.0.0.1'])('lets a client at %s reach its own machine', async (from) => {
    const served = await serve({ rules: [privateNetworks], from }, ...greeted, toLoopback, granted)
    expect(served).toMatchObject({ error: undefined, dialled: ['127.0.0.1'] })
  })

  it('keeps the proxy from itself for everybody', async () => {
    const rules = [ownAddresses(({ host, port }) => host === '127.0.0.1' && port === 80)]
    const served = await serve({ rules, from: null }, ...greeted, toLoopback, notAllowed)
    expect(served).toMatchObject({ error: refusedBy('the proxy itself'), dialled: [] })
  })

  it('knows who asks', async () => {
    const rules = parseRules('allow user alice')
    const loggedIn = [client`05 02 00 02`, server`05 02`, client`01 05 ${'alice'} 0b ${'open sesame'}`, server`01 00`]
    const setting = { rules, otherwise: 'deny', answers: ['192.0.2.7'] } as const
    expect(await serve(setting, ...loggedIn, toName, granted)).toMatchObject({ dialled: ['192.0.2.7'] })
    expect(await serve(setting, ...greeted, toName, notAllowed)).toMatchObject({ dialled: [] })
  })
})

/** Plays a client far away to `authorize`; `ask` is told of the `permit` that comes of it. */
const judged = async (rules: string, script: readonly Line[], ask: (permit: Permit) => void = () => {}) => {
  const run = async (duplex: ByteDuplex) => {
    const { context } = await pipe(
      duplex,
      frames({ context: { connection: { remoteAddress: { host: '198.51.100.99', port: 1 } } } }),
      authenticate([none()]),
      request(),
      authorize([privateNetworks, ...parseRules(rules)]),
      handshake(duplex)
    )
    ask(context.permit)
  }
  await play({ script: [...greeted, ...script], testing: 'server', run })
}

describe('authorize, of UDP ASSOCIATE', () => {
  const associate = client`05 03 00 01 0a000001 1f90`

  it('takes the address in the request for the client’s own, and waits for datagrams', async () => {
    await expect(judged('deny to 10.0.0.0/8 port 8080', [associate])).resolves.toBeUndefined()
  })

  it('refuses it by its command, or by who asks', async () => {
    await expect(judged('deny bind, udp', [associate, notAllowed])).rejects.toThrow(
      'UDP ASSOCIATE is not allowed: deny bind, udp'
    )
    await expect(judged('deny from 198.51.100.0/24', [associate, notAllowed])).rejects.toThrow(RuleError)
  })

  it('judges datagrams one by one', async () => {
    const ruling = (permit: Permit, to: Address, name?: string): string => {
      try {
        permit(to, name)
        return 'permitted'
      } catch (error) {
        return (error as RuleError).rule
      }
    }
    await judged('deny to 192.0.2.0/24 port 53\ndeny to example.com', [associate], (permit) => {
      expect(ruling(permit, { host: '192.0.2.1', port: 53 })).toBe('deny to 192.0.2.0/24 port 53')
      expect(ruling(permit, { host: '192.0.2.1', port: 54 })).toBe('permitted')
      expect(ruling(permit, { host: '203.0.113.1', port: 53 }, 'www.example.com')).toBe('deny to example.com')
      expect(ruling(permit, { host: '203.0.113.1', port: 53 }, 'example.org')).toBe('permitted')
      expect(ruling(permit, { host: '224.0.0.251', port: 5353 })).toBe(privateNetworks.name)
      expect(ruling(permit, { host: '::ffff:192.0.2.1', port: 53 })).toBe('deny to 192.0.2.0/24 port 53')
    })
  })

  it('permits no address that is none where it would depend on it', async () => {
    await judged('allow to 192.0.2.0/24', [associate], (permit) => {
      expect(() => permit({ host: 'example.com', port: 53 })).toThrow(RuleError)
    })
  })
})

describe('authorize, of BIND', () => {
  it.each([
    ['0.0.0.0', client`05 02 00 01 00000000 0050`],
    ['::', client`05 02 00 04 00000000000000000000000000000000 0050`],
    ['::ffff:0.0.0.0', client`05 02 00 04 00000000000000000000ffff00000000 0050`],
    ['the name 0', client`05 02 00 03 01 ${'0'} 0050`]
  ])('takes %s for anybody, and judges who connects', async (_, line) => {
    await judged('deny to 203.0.113.0/24', [line], (permit) => {
      expect(() => permit({ host: '10.0.0.1', port: 20 })).toThrow(privateNetworks.name)
      expect(() => permit({ host: '203.0.113.9', port: 20 })).toThrow('BIND 203.0.113.9:20 is not allowed')
      expect(() => permit({ host: '192.0.2.1', port: 20 })).not.toThrow()
    })
  })

  it('refuses a peer that is denied', async () => {
    await expect(judged('', [client`05 02 00 01 0a000001 0050`, notAllowed])).rejects.toThrow(
      'BIND 10.0.0.1:80 is not allowed: private networks'
    )
  })
})

describe('authorize, of Tor’s commands', () => {
  it.each([
    ['RESOLVE', client`05 f0 00 01 0a000001 0000`],
    ['RESOLVE_PTR', client`05 f1 00 01 0a000001 0000`]
  ])('judges what %s asks about', async (name, line) => {
    await expect(judged('', [line, notAllowed])).rejects.toThrow(`${name} 10.0.0.1:0 is not allowed`)
  })
})

describe('authorize, put together wrongly', () => {
  it('refuses at run time', async () => {
    const untyped = authorize([]) as unknown as ReturnType<typeof request>
    const run = (duplex: ByteDuplex) =>
      pipe(duplex, frames(), authenticate([none()]), request(), untyped, handshake(duplex))
    const served = play({ script: [...greeted, toName, notAllowed], testing: 'server', run })
    await expect(served).rejects.toThrow(RefusedError)
    await expect(served).rejects.toThrow('authorize comes after authenticate and request')
  })
})

describe('authorize, once more behind another', () => {
  it('asks the rules of both about each address', async () => {
    const connection = { remoteAddress: { host: '198.51.100.99', port: 50_000 } }
    const dial: Dial = async (_, { permit } = {}) => {
      permit?.('127.0.0.1')
      return duplexPair()[0]
    }
    const run = (duplex: ByteDuplex) =>
      pipe(
        duplex,
        frames({ context: { connection } }),
        authenticate([none()]),
        request(),
        authorize([privateNetworks]),
        authorize(parseRules('allow everything')),
        command({ connect: connect(dial) }),
        handshake(duplex)
      )
    const served = play({ script: [...greeted, toName, notAllowed], testing: 'server', run })
    await expect(served).rejects.toEqual(refusedBy(privateNetworks.name))
  })

  it('is refused behind a command, where it is too late', async () => {
    const connection = { remoteAddress: { host: '198.51.100.99', port: 50_000 } }
    const run = (duplex: ByteDuplex) =>
      pipe(
        duplex,
        frames({ context: { connection } }),
        authenticate([none()]),
        request(),
        command({ connect: connect(async () => duplexPair()[0]) }),
        authorize([privateNetworks]),
        handshake(duplex)
      )
    const served = play({ script: [...greeted, toName, granted], testing: 'server', run })
    await expect(served).rejects.toThrow('authorize comes before command')
  })
})
