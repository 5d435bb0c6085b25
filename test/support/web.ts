import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** Serves HTTP for the length of the test; resolves with its origin, `http://host:port`. */
export const startWeb = async (listener: RequestListener, host = '127.0.0.1'): Promise<string> => {
  const server = createServer(listener).listen(0, host)
  await once(server, 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  const { port } = server.address() as AddressInfo
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Says hello to whoever asks. */
export const hello: RequestListener = (_request, response) => {
  response.end('hello')
}

/** Answers with the SHA-256 of what it is sent, in hexadecimal digits. */
export const hashUpload: RequestListener = async (request, response) => {
  const hash = createHash('sha256')
  for await (const chunk of request) hash.update(chunk)
  response.end(hash.digest('hex'))
}
