import { connect } from '@it-socks/client'

/** Gets a page through a SOCKS5 proxy: HTTP by hand, to show what a tunnel is. Resolves with the whole response. */
export const get = async (url: URL, proxy: string) => {
  const tunnel = await connect({ proxy, destination: { host: url.hostname, port: Number(url.port || 80) } })

  const read = async () => {
    const decoder = new TextDecoder()
    let text = ''
    for await (const bytes of tunnel.source) text += decoder.decode(bytes.subarray(), { stream: true })
    return text
  }
  const response = read()

  const request = async function* () {
    yield new TextEncoder().encode(`GET ${url.pathname} HTTP/1.0\r\nHost: ${url.host}\r\n\r\n`)
    // The tunnel half-closes where this generator ends, which some web servers take for a client that gave up.
    await response
  }
  await tunnel.sink(request())
  return response
}

if (process.argv[1] === import.meta.filename) {
  const [, , url = 'http://example.com/', proxy = 'socks5h://127.0.0.1:1080'] = process.argv
  console.log(await get(new URL(url), proxy))
}
