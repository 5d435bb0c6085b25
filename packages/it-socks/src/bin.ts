#!/usr/bin/env node
import { createServer, describeEndpoint } from '@it-socks/server'

const port = Number(process.argv.at(-1)?.split(':')[1] ?? 1080)
const server = createServer({ listen: { host: '127.0.0.1', port } })
const bound = await server.listen()
console.error(JSON.stringify({ event: 'listening', endpoints: bound.map(describeEndpoint) }))
