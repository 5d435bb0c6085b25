import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { never, onAbort, type Dial } from '@it-socks/stage'
import { hex } from '@it-socks/testing'
import { connectTo, heldDial, rawClient, start, target, tunnelTo } from './setup.ts'

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

describe('half-close', () => {
  it('of the client reaches the target, whose answer still reaches the client', async () => {
    const { port, until } = await start()
    const { port: targetPort } = await target((socket) => {
      let heard = ''
      socket.setEncoding('utf8').on('data', (data: string) => {
        heard += data
      })
      socket.on('end', () => socket.end(`heard "${heard}" to its end`))
    })
    const client = await tunnelTo(port, targetPort, { allowHalfOpen: true })
    client.socket.end('all I have to say')
    expect(text(await client.hear(1000))).toBe('heard "all I have to say" to its end')
    const { traffic, cause } = await until('closed')
    expect({ traffic, cause }).toEqual({ traffic: { up: 17, down: 36 }, cause: undefined })
  })

  it('of the target reaches the client, whose words still reach the target', async () => {
    const { port, until } = await start()
    let heard = ''
    const { port: targetPort, first } = await target((socket) => {
      socket.setEncoding('utf8').on('data', (data: string) => {
        heard += data
      })
      socket.end('no more from me')
    })
    const client = await tunnelTo(port, targetPort, { allowHalfOpen: true })
    expect(text(await client.hear(1000))).toBe('no more from me')
    const ended = once(await first, 'end')
    client.socket.write('but from me')
    client.socket.end(' a lot')
    const { traffic, cause } = await until('closed')
    expect({ traffic, cause }).toEqual({ traffic: { up: 17, down: 15 }, cause: undefined })
    await ended
    expect(heard).toBe('but from me a lot')
  })

  it('of a client that asks, sends and closes all at once loses nothing', async () => {
    const { port, until } = await start()
    const { port: targetPort } = await target((socket) => socket.pipe(socket))
    const client = rawClient(port, { allowHalfOpen: true })
    client.socket.end(hex`05 01 00 ${connectTo(targetPort)} ${'early'}`)
    expect(text((await client.hear(1000)).slice(12))).toBe('early')
    expect((await until('closed')).traffic).toEqual({ up: 5, down: 5 })
  })
})

describe('a client that disappears while its target is being dialled', () => {
  it('cancels the dial', async () => {
    const cancelled: unknown[] = []
    const dial: Dial = (_, { signal = never } = {}) =>
      new Promise((_, reject) => {
        onAbort(signal, () => {
          cancelled.push(signal.reason)
          reject(signal.reason)
        })
      })
    const { port, until } = await start({ dial })
    const client = rawClient(port)
    client.socket.write(hex`05 01 00 ${connectTo(80)}`)
    await until('requested')
    client.socket.resetAndDestroy()
    expect(await until('closed')).toMatchObject({ cause: { code: 'ECONNRESET' } })
    expect(cancelled).toMatchObject([{ code: 'ECONNRESET' }])
  })

  it('has not disappeared by closing its half: it is answered', async () => {
    const { dial, begun, fail } = heldDial()
    const { port, until } = await start({ dial })
    const client = rawClient(port, { allowHalfOpen: true })
    client.socket.end(hex`05 01 00 ${connectTo(80)}`)
    await once(client.socket, 'finish')
    await begun
    fail()
    expect(await client.hear(13)).toEqual(hex`05 00  05 01 00 01 00000000 0000`)
    expect(await until('closed')).toMatchObject({ cause: { message: 'as it happens' } })
  })
})
