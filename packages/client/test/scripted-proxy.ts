import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { toHex, type Line } from '@it-socks/testing'

/** A proxy on a real port that keeps to a script, with one client. */
export interface ScriptedProxy {
  readonly host: string
  readonly port: number
  /** What a `proxy` option takes; names are left to the proxy. */
  readonly url: string
  /** Resolves when the script is over; rejects where the client did not keep to it. */
  readonly played: Promise<void>
  /** Resolves when the client's connection is gone. */
  readonly gone: Promise<void>
  /** How many clients have come. */
  readonly clients: () => number
  /** How many bytes the client has said. */
  readonly heard: () => number
  /** How many clients have reset their connection. */
  readonly resets: () => number
}

type Ending = 'end' | 'reset' | 'wait'

export interface ScriptedProxyOptions {
  /** What it does at the end: half-closes, resets, or waits for the client's end to half-close. Default: `wait`. */
  finally?: Ending
}

/** Opens a proxy that hears the client's lines of the script and says its own. */
export const scriptedProxy = async (
  script: readonly Line[],
  { finally: ending = 'wait' }: ScriptedProxyOptions = {}
): Promise<ScriptedProxy> => {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  const ears: Ear[] = []
  const played = new Promise<void>((resolve, reject) => {
    server.on('connection', (socket) => {
      const ear = listenTo(socket)
      ears.push(ear)
      follow(script, socket, ear, ending).then(resolve, reject)
    })
  })
  const gone = new Promise<void>((resolve) => {
    server.on('connection', (socket) => socket.on('close', () => resolve()))
  })
  // Some tests wait for how the client took the script, others for the client alone.
  played.catch(() => {})
  onTestFinished(() => {
    server.close()
    for (const { socket } of ears) socket.destroy()
  })
  await once(server, 'listening')

  const host = '127.0.0.1'
  const { port } = server.address() as AddressInfo
  const heard = (): number => ears.reduce((sum, ear) => sum + ear.bytes.length, 0)
  const resets = (): number => ears.filter(({ reset }) => reset).length
  return { host, port, url: `socks5h://${host}:${port}`, played, gone, clients: () => ears.length, heard, resets }
}

const follow = async (script: readonly Line[], socket: Socket, ear: Ear, ending: Ending): Promise<void> => {
  let due = 0
  for (const { from, bytes } of script) {
    if (from === 'server') socket.write(bytes)
    else {
      await ear.heard(due + bytes.length)
      const heard = ear.bytes.slice(due, (due += bytes.length))
      if (toHex(heard) !== toHex(bytes)) throw new Error(`expected ${toHex(bytes)}, heard ${toHex(heard)}`)
    }
  }
  if (ending === 'end') socket.end()
  else if (ending === 'reset') socket.resetAndDestroy()
  else if (ear.ended) socket.end()
  else socket.on('end', () => socket.end())
}

interface Ear {
  readonly socket: Socket
  /** All that has come. */
  bytes: Uint8Array
  ended: boolean
  reset: boolean
  /** Resolves when so many bytes have come, or no more will. */
  heard(length: number): Promise<void>
}

const listenTo = (socket: Socket): Ear => {
  let wake = (): void => {}
  const ear: Ear = {
    socket,
    bytes: new Uint8Array(),
    ended: false,
    reset: false,
    heard: (length) =>
      new Promise((resolve) => {
        wake = () => {
          if (ear.bytes.length >= length || ear.ended) resolve()
        }
        wake()
      })
  }
  const ended = (): void => {
    ear.ended = true
    wake()
  }
  socket.on('data', (chunk) => {
    ear.bytes = Buffer.concat([ear.bytes, chunk])
    wake()
  })
  // A reset is an error of the socket, and what some tests wait for.
  socket
    .on('end', ended)
    .on('close', ended)
    .on('error', () => {
      ear.reset = true
      ended()
    })
  return ear
}
