import { describe, expect, it } from 'vitest'
import { RefusedError, type CommandName } from '@it-socks/protocol'
import { authenticate, none } from '@it-socks/auth'
import { command, connect, request, type Commanded, type CommandHandler } from '@it-socks/command'
import { frames, handshake, pipe, stage, type ByteDuplex, type Stage, type Tunnelled } from '@it-socks/stage'
import { client, duplexPair, play, server, type Line } from '@it-socks/testing'

const serve = (handlers: Partial<Record<CommandName, CommandHandler>>, ...script: Line[]) =>
  play({
    script: [client`05 01 00`, server`05 00`, ...script],
    testing: 'server',
    run: async (duplex) => {
      const stages = [frames(), authenticate([none()]), request(), command(handlers)] as const
      const { context } = await pipe(duplex, ...stages, handshake(duplex))
      return context.tunnel.remoteAddress
    }
  })

/** A handler that says yes and hands over a tunnel to `port`, to be told from others by. */
const handler = (port: number): CommandHandler =>
  stage<Commanded, Tunnelled>(async function* ({ context: { grant } }) {
    yield grant({ host: '192.0.2.1', port })
    return { tunnel: { ...duplexPair()[0], remoteAddress: { host: '192.0.2.2', port } } }
  })

describe('command', () => {
  const all = { connect: handler(1), bind: handler(2), udpAssociate: handler(3) }

  it.each([
    { cmd: 'CONNECT', line: client`05 01 00 01 c0000209 0050`, answer: server`05 00 00 01 c0000201 0001`, port: 1 },
    { cmd: 'BIND', line: client`05 02 00 01 c0000209 0050`, answer: server`05 00 00 01 c0000201 0002`, port: 2 },
    {
      cmd: 'UDP ASSOCIATE',
      line: client`05 03 00 01 c0000209 0050`,
      answer: server`05 00 00 01 c0000201 0003`,
      port: 3
    }
  ])('gives $cmd to its handler', async ({ line, answer, port }) => {
    expect(await serve(all, line, answer)).toEqual({ host: '192.0.2.2', port })
  })

  it.each([
    { cmd: 'CONNECT', line: client`05 01 00 01 c0000209 0050` },
    { cmd: 'BIND', line: client`05 02 00 01 c0000209 0050` },
    { cmd: 'UDP ASSOCIATE', line: client`05 03 00 01 00000000 0000` }
  ])('answers 0x07 to $cmd without a handler', async ({ line }) => {
    const refused = serve({}, line, server`05 07 00 01 00000000 0000`)
    await expect(refused).rejects.toThrow(RefusedError)
    await expect(refused).rejects.toMatchObject({ code: 'ERR_SOCKS_COMMAND_NOT_SUPPORTED' })
  })
})

/** What JavaScript lets one write where TypeScript does not. */
const unchecked = (stage: Stage<never, Tunnelled>) => stage as Stage<unknown, Tunnelled>

describe('command without authentication', () => {
  const never = connect(() => {
    throw new Error('nobody may be dialled for')
  })
  const misplaced = expect.objectContaining({
    name: 'RefusedError',
    reply: 'not-allowed',
    message: 'command comes after authenticate and request'
  })

  it('is refused at run time: nothing is dialled, nothing is said', async () => {
    const run = (duplex: ByteDuplex) =>
      pipe(duplex, frames(), request(), unchecked(command({ connect: never })), handshake(duplex))
    const served = play({ script: [client`05 01 00 01 c0000209 0050`], testing: 'server', run })
    await expect(served).rejects.toEqual(misplaced)
  })

  it('is refused at run time without a request, too, with the reply that SOCKS5 has for it', async () => {
    const run = (duplex: ByteDuplex) =>
      pipe(duplex, frames(), authenticate([none()]), unchecked(command({ connect: never })), handshake(duplex))
    const script = [client`05 01 00`, server`05 00`, server`05 02 00 01 00000000 0000`]
    await expect(play({ script, testing: 'server', run })).rejects.toEqual(misplaced)
  })
})
