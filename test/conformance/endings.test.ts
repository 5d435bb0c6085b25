import { usernamePassword, users } from '@it-socks/auth'
import type { ServerOptions } from '@it-socks/server'
import { hex, toHex } from '@it-socks/testing'
import { describe, expect, it } from 'vitest'
import { openClient, openSetting } from './conversation.ts'

interface State {
  /** How far the client has come. */
  readonly state: string
  readonly options?: ServerOptions
  readonly says: Uint8Array
  /** What it has heard by then. */
  readonly hears: Uint8Array
}

const methods = [usernamePassword({ verify: users({ alice: 'open sesame' }) })]
const never = new Promise<never>(() => {})
const bind = hex`05 00 05 00 00 01 c0000209 04d2`

/** Every state in which a server waits for its client, or for somebody else. */
const states: State[] = [
  { state: 'connected', says: hex``, hears: hex`` },
  { state: 'in its greeting', says: hex`05 02 00`, hears: hex`` },
  { state: 'greeted', says: hex`05 01 00`, hears: hex`05 00` },
  { state: 'in its credentials', options: { methods }, says: hex`05 01 02 01 05 ${'al'}`, hears: hex`05 02` },
  {
    state: 'being verified',
    options: { methods: [usernamePassword({ verify: () => never })] },
    says: hex`05 01 02 01 01 ${'a'} 00`,
    hears: hex`05 02`
  },
  {
    state: 'logged in',
    options: { methods },
    says: hex`05 01 02 01 05 ${'alice'} 0b ${'open sesame'}`,
    hears: hex`05 02 01 00`
  },
  { state: 'in its request', says: hex`05 01 00 05 01 00 03 0b ${'exam'}`, hears: hex`05 00` },
  { state: 'in its SOCKS4 request', says: hex`04 01 0050 c0000201 ${'al'}`, hears: hex`` },
  {
    state: 'waiting for a name',
    options: { resolve: () => never },
    says: hex`05 01 00 05 02 00 03 0b ${'one.example'} 0050`,
    hears: hex`05 00`
  },
  {
    state: 'waiting for a target',
    options: { dial: () => never },
    says: hex`05 01 00 05 01 00 01 c0000201 0050`,
    hears: hex`05 00`
  },
  { state: 'waiting for a peer', says: hex`05 01 00 05 02 00 01 c0000201 0050`, hears: bind },
  { state: 'waiting for a peer, with data', says: hex`05 01 00 05 02 00 01 c0000201 0050 ${'early'}`, hears: bind },
  { state: 'waiting for a peer by SOCKS4', says: hex`04 02 0050 c0000201 00`, hears: hex`00 5a 04d2 c0000209` },
  { state: 'relayed', says: hex`05 01 00 05 01 00 01 c0000201 0050 ${'data'}`, hears: hex`${bind} ${'data'}` }
]

const association: State = {
  state: 'in an association',
  says: hex`05 01 00 05 03 00 01 00000000 0000`,
  hears: hex`05 00 05 00 00 01 7f000001 c000`
}

/** Brings a client there. */
const reach = async ({ options = {}, says, hears }: State) => {
  const setting = await openSetting(options)
  const client = openClient(setting.port)
  await client.say([says])
  expect(toHex(await client.heard(hears.length))).toBe(toHex(hears))
  return { ...setting, client }
}

describe('a client that resets its connection leaves nothing behind', () => {
  it.each(states)('$state', async (state) => {
    const { client, outside, over } = await reach(state)
    client.socket.resetAndDestroy()
    expect((await over).failed).toMatch(/^ERR_SOCKS_|ECONNRESET/)
    expect(outside.open()).toBe(0)
  })

  it('in an association', async () => {
    const { client, outside, over } = await reach(association)
    expect(outside.open()).toBe(1)
    client.socket.resetAndDestroy()
    await over
    expect(outside.open()).toBe(0)
  })
})

describe('a server that closes leaves nothing behind, and no client without an end', () => {
  it.each([...states, association])('$state', async (state) => {
    const { client, outside, over, server } = await reach(state)
    await server.close()
    await client.closed
    expect((await over).failed).toBe('ERR_SOCKS_CLOSED')
    expect(outside.open()).toBe(0)
  })
})

describe('a client that takes too long for its handshake is sent away', () => {
  const slow = states.slice(
    0,
    states.findIndex(({ state }) => state === 'waiting for a name')
  )
  it.each(slow)('$state', async ({ options = {}, says }) => {
    const { outside, over, port } = await openSetting({ ...options, handshakeTimeout: 50 })
    const client = openClient(port)
    await client.say([says])
    await client.closed
    expect((await over).failed).toBe('ERR_SOCKS_DEADLINE')
    expect(outside.did).toEqual([])
  })
})
