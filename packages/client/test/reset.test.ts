import { connect } from '@it-socks/client'
import { ProxyClosedError } from '@it-socks/protocol'
import type { Dial } from '@it-socks/stage'
import { expect, it } from 'vitest'

it('names a proxy whose reset a write runs into, before anybody reads', async () => {
  const reset = Object.assign(new Error('write ECONNRESET'), { code: 'ECONNRESET', syscall: 'write' })
  // What a socket does: it fails on the greeting and lets go of the pipeline, which still has its turn to read to come.
  const dial: Dial = async () => ({
    source: (async function* () {
      throw reset
    })(),
    async sink(source) {
      const greeting = source[Symbol.asyncIterator]()
      await greeting.next()
      await greeting.return?.()
      throw reset
    }
  })
  const failed = connect({ proxy: 'socks5://192.0.2.1', destination: '192.0.2.2:80', dial })
  await expect(failed).rejects.toThrow(ProxyClosedError)
  await expect(failed).rejects.toMatchObject({ cause: reset })
})
