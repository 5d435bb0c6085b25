import { bind, connect } from '@it-socks/client'
import { SocksError, formatAddress, type Address } from '@it-socks/protocol'
import type { ByteDuplex, Dial, Tunnel } from '@it-socks/stage'
import { play, server, type Line } from '@it-socks/testing'
import { expect, it } from 'vitest'

/** A conversation of our client with a proxy, to its end. */
export interface ClientCase {
  /** What is guarded. */
  readonly name: string
  readonly script: readonly Line[]
  /** The address that the proxy tells and what comes through the tunnel; or the error's code and its reply. */
  readonly comesTo: string
}

/** What a client wants of a proxy: a tunnel, and the address that it was told. */
export type Open = (dial: Dial) => Promise<readonly [told: Address | undefined, tunnel: Tunnel]>

export const connecting =
  (proxy: string, destination = 'example.com:80'): Open =>
  async (dial) => {
    const tunnel = await connect({ proxy, destination, dial })
    return [tunnel.localAddress, tunnel]
  }

export const binding =
  (proxy: string): Open =>
  async (dial) => {
    const listening = await bind({ proxy, peer: '192.0.2.1:20', dial })
    const tunnel = await listening.accept()
    return [tunnel.remoteAddress, tunnel]
  }

/** Plays every case under every chunking. The proxy half-closes after its last line. */
export const clientConformance = (open: Open, cases: readonly ClientCase[]): void => {
  it.each(cases)('$name', async ({ script, comesTo }) => {
    const run = async (duplex: ByteDuplex): Promise<string> => {
      try {
        const [told, tunnel] = await open(async () => duplex)
        await tunnel.sink((async function* () {})())
        let text = ''
        for await (const bytes of tunnel.source) text += new TextDecoder().decode(bytes.subarray())
        return `${told && formatAddress(told)} ${text}`
      } catch (error) {
        if (!(error instanceof SocksError)) throw error
        return `${error.code} ${error.reply}`
      }
    }
    expect(await play({ script, testing: 'client', run })).toBe(comesTo)
  })
}

/** A reply that ends after each of its bytes but the last. */
export const truncated = (
  before: readonly Line[],
  whole: Uint8Array,
  comesTo: (length: number) => string
): ClientCase[] =>
  Array.from({ length: whole.length }, (_, length) => ({
    name: `after ${length} of ${whole.length} bytes`,
    script: [...before, server`${whole.subarray(0, length)}`],
    comesTo: comesTo(length)
  }))

/** What comes of a proxy that hangs up instead of answering. */
export const closed = 'ERR_SOCKS_PROXY_CLOSED general-failure'
/** What comes of an answer of which so much came. */
export const cutShort = (length: number): string => (length === 0 ? closed : 'ERR_SOCKS_TRUNCATED general-failure')
