import { serveInThreads } from '@it-socks/server'
import { announce } from './announce.ts'

const module = new URL('threads-options.js', import.meta.url)
const { endpoints } = await serveInThreads({ module, threads: Number(process.argv[2]) })
announce((endpoints[0] as { port: number }).port)
