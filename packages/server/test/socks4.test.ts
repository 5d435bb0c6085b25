import { expect, describe, it } from 'vitest'
import { none, usernamePassword, users } from '@it-socks/auth'
import { hex } from '@it-socks/testing'
import { echo, portBytes, rawClient, start, target } from './setup.ts'

const withUsers = { methods: [usernamePassword({ verify: users({ alice: 'open sesame' }) })] }

/** A SOCKS4 request to CONNECT to 127.0.0.1. */
const connect4 = (port: number, userId: string) => hex`04 01 ${portBytes(port)} 7f000001 ${userId} 00`

describe('a server on its one port', () => {
  it('speaks SOCKS4, 4a and 5', async () => {
    const { port } = await target(echo)
    const { port: proxy, told } = await start()
    const four = rawClient(proxy)
    four.socket.write(hex`${connect4(port, 'alice')} ${'early'}`)
    expect((await four.hear(8)).subarray(0, 2)).toEqual(hex`00 5a`)
    expect(await four.hear(5)).toEqual(hex`${'early'}`)

    const fourA = rawClient(proxy)
    fourA.socket.write(hex`04 01 ${portBytes(port)} 00000001 00 ${'localhost'} 00`)
    expect((await fourA.hear(8)).subarray(0, 2)).toEqual(hex`00 5a`)

    const five = rawClient(proxy)
    five.socket.write(hex`05 01 00`)
    expect(await five.hear(2)).toEqual(hex`05 00`)
    expect(told.filter(({ event }) => event === 'authenticated').map(({ identity }) => identity)).toEqual([
      { method: 'socks4', username: 'alice' },
      { method: 'socks4' },
      { method: 'none' }
    ])
  })

  it('says nothing to HTTP, and has a name for it', async () => {
    const { port, until } = await start()
    const client = rawClient(port)
    client.socket.write('GET / HTTP/1.1\r\n\r\n')
    expect(await client.hear(1)).toEqual(hex``)
    expect((await until('closed')).cause).toMatchObject({ code: 'ERR_SOCKS_VERSION' })
  })

  it('speaks SOCKS5 only where SOCKS4 is off', async () => {
    const { port, until } = await start({ socks4: false })
    const client = rawClient(port)
    client.socket.write(connect4(1, 'alice'))
    expect(await client.hear(1)).toEqual(hex``)
    expect((await until('closed')).cause).toMatchObject({ code: 'ERR_SOCKS_VERSION' })
  })
})

describe('a server with authentication', () => {
  it('refuses SOCKS4, which proves nothing', async () => {
    const { port, until } = await start(withUsers)
    const client = rawClient(port)
    client.socket.write(connect4(1, 'alice'))
    expect(await client.hear(100)).toEqual(hex`00 5d 0000 00000000`)
    const { cause, identity } = await until('closed')
    expect(cause).toMatchObject({ code: 'ERR_SOCKS_AUTHENTICATION' })
    expect(identity).toBeUndefined()
  })

  it('refuses SOCKS4 where only some authenticate: a user id would pass for a user', async () => {
    const { port } = await start({ methods: [...withUsers.methods, none()] })
    const client = rawClient(port)
    client.socket.write(connect4(1, 'alice'))
    expect(await client.hear(100)).toEqual(hex`00 5d 0000 00000000`)
  })

  it('takes the user ids that it is told to', async () => {
    const { port } = await target(echo)
    const { port: proxy } = await start({ ...withUsers, socks4: { admit: (userId) => userId === 'printer' } })
    const printer = rawClient(proxy)
    printer.socket.write(connect4(port, 'printer'))
    expect((await printer.hear(8)).subarray(0, 2)).toEqual(hex`00 5a`)
    const stranger = rawClient(proxy)
    stranger.socket.write(connect4(port, 'plotter'))
    expect(await stranger.hear(100)).toEqual(hex`00 5d 0000 00000000`)
  })
})
