// What the threads of the tests load. It runs as it is in workers, which know no TypeScript: on what is built.
import { epoll } from '@it-socks/epoll'
import { parseRule } from '@it-socks/rules'

export default async ({ index, threads, data }) => {
  if (data?.fails === index) throw Object.assign(new RangeError('no options today'), { code: 'ERR_TEST' })
  return {
    engine: epoll(),
    listen: { host: '127.0.0.1', port: 0, ...data?.listen },
    rules: [parseRule(`deny to denied-by-${threads}.example`)],
    ...data?.options
  }
}

export const started = (server, { index, data }) => {
  if (data?.dies === index) {
    server.on('requested', () => {
      throw new Error('a mistake of the module')
    })
  }
  if (data?.exits === index) server.on('requested', () => process.exit(3))
}

export const stopped = async ({ data }) => {
  if (data?.slow) await new Promise((resolve) => setImmediate(resolve))
}
