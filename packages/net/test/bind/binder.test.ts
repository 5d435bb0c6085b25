import { expect, it, onTestFinished, vi } from 'vitest'
import { binder, listen } from '@it-socks/net'
import { take } from '../../../../test/support/connected.ts'
import { client } from '../../../../test/support/sockets.ts'

// What every engine's binder does is in `test/engines`.
it('a `listen` of one’s own is what the binder listens with', async () => {
  const asked = vi.fn<typeof listen>(listen)
  const binding = await binder({ listen: asked, ports: [1, 65_535] })()
  onTestFinished(() => binding.close())
  expect(asked).toHaveBeenCalledWith(expect.objectContaining({ host: '127.0.0.1', port: binding.address.port }))
  const socket = await client(binding.address)
  expect((await take(binding.connections)).remoteAddress?.port).toBe(socket.localPort)
})
