import { listen, type Listener } from '@it-socks/net'
import { formatAddress, type Address } from '@it-socks/protocol'
import { onTestFinished } from 'vitest'

/** Runs an example's proxy on a port that the system chooses, for as long as the test runs: the proxy's URL. */
export const run = async (serve: (connections: Listener) => Promise<void>): Promise<string> => {
  const listener = listen({ host: '127.0.0.1', port: 0 })
  const served = serve(listener)
  onTestFinished(() => {
    listener.close()
    return served
  })
  return `socks5h://${formatAddress((await listener.listening) as Address)}`
}
