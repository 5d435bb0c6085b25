import assert from 'node:assert/strict'
import { authenticate, none } from '@it-socks/auth'
import { request } from '@it-socks/command'
import { RefusedError } from '@it-socks/protocol'
import { frames, handshake, pipe, type ByteDuplex } from '@it-socks/stage'
import { client, play, server } from '@it-socks/testing'
import { only } from './custom-stage.ts'

// No socket, no port: the stage stands in a pipeline that ends before anything is dialled …
const run = async (duplex: ByteDuplex) => {
  const { context } = await pipe(
    duplex,
    frames(),
    authenticate([none()]),
    request(),
    only('example.com'),
    handshake(duplex)
  )
  return context.request.destination
}

// … and the conversation is played to it byte by byte, glued together, and cut in two at every place.
const hello = [client`05 01 00`, server`05 00`]

const allowed = [...hello, client`05 01 00 03 0b ${'example.com'} 01 bb`]
assert.deepEqual(await play({ script: allowed, testing: 'server', run }), { host: 'example.com', port: 443 })

const refused = [...hello, client`05 01 00 03 0b ${'example.org'} 01 bb`, server`05 02 00 01 00 00 00 00 00 00`]
await assert.rejects(play({ script: refused, testing: 'server', run }), new RefusedError('not-allowed'))
