import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, inject, it } from 'vitest'

const run = promisify(execFile)
const server = JSON.stringify(new URL('../dist/index.js', import.meta.url).href)

/** Serves connections until V8 has compiled what they need, and has everything collected when they are gone. */
const program = `
  import { once } from 'node:events'
  import { connect, createServer as createTarget } from 'node:net'
  import { createServer } from ${server}

  const target = createTarget({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
  await once(target, 'listening')
  const proxy = createServer({ listen: { host: '127.0.0.1', port: 0 } })
  const [{ port }] = await proxy.listen()
  const { port: to } = target.address()
  const request = Buffer.from([5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, to >> 8, to & 255, 104, 105])
  const client = async () => {
    const socket = connect(port, '127.0.0.1').resume()
    socket.end(request)
    await once(socket, 'close')
  }
  for (let round = 0; round < 100; round++) await Promise.all(Array.from({ length: 20 }, client))
  console.log('## gone')
  for (let round = 0; round < 4; round++) {
    await new Promise(setImmediate)
    gc()
  }
  console.log('## collected')
  target.close()
  await proxy.close()
`

/** Classes of which each connection has instances, and whose code has to do with nothing else. */
const ours = [
  'Alarm',
  'Clock',
  'Connecting',
  'Connection',
  'Course',
  'Cursor',
  'Endless',
  'Handshake',
  'LazySignal',
  'LeanHandoff',
  'LeanOptions',
  'Left',
  'Limit',
  'OpenSession',
  'Reader',
  'Relay',
  'Row',
  'Run',
  'Span',
  'TransportOutlet'
]

it('what V8 has compiled for connections outlives the last of them', async () => {
  if (inject('buildFailure') !== '') throw new Error('what the process runs could not be built')
  const { stdout } = await run(
    process.execPath,
    ['--expose-gc', '--trace-opt', '--trace-deopt', '--input-type=module', '--eval', program],
    { maxBuffer: 2 ** 26 }
  )
  const [served = '', collected = ''] = stdout.split(/## \w+\n/)
  const compiled = ours.filter((name) => new RegExp(`completed optimizing \\w+ <JSFunction ${name} `).test(served))
  expect(compiled).not.toEqual([])
  const lost = ours.filter((name) => new RegExp(`SharedFunctionInfo ${name}>.*weak objects`).test(collected))
  expect(lost).toEqual([])
})
