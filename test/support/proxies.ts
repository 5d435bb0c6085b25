import { userInfo } from 'node:os'
import { createServer, type Server, type ServerOptions } from '@it-socks/server'
import { onTestFinished } from 'vitest'
import { startDaemon } from './daemon.ts'
import { engine } from './engine.ts'
import { isRoot } from './programs.ts'
import { succeed } from './run.ts'
import { startSshd } from './ssh.ts'
import { temporaryFile } from './temporary.ts'

/** Where a proxy listens: `127.0.0.1:port`. */
export type ProxyAddress = string

/** Our server, on a port of 127.0.0.1 that the system chooses, until the test is over. */
export const startServer = async (
  options: Omit<ServerOptions, 'listen'> = {}
): Promise<{ server: Server; proxy: ProxyAddress }> => {
  const server = createServer({ engine, ...options, listen: { host: '127.0.0.1', port: 0 } })
  const [endpoint] = await server.listen()
  onTestFinished(() => server.close())
  if (endpoint === undefined || !('port' in endpoint)) throw new Error('the server does not listen on TCP')
  return { server, proxy: `127.0.0.1:${endpoint.port}` }
}

/** A user name and a password. */
export interface Login {
  readonly username: string
  readonly password: string
}

/** microsocks, for one user or for everybody. */
export const startMicrosocks = async (login?: Login): Promise<ProxyAddress> => {
  const credentials = login === undefined ? [] : ['-u', login.username, '-P', login.password]
  const port = await startDaemon('microsocks', (port) => ['-i', '127.0.0.1', '-p', String(port), ...credentials])
  return `127.0.0.1:${port}`
}

/** Dante's server. `username` checks passwords of the system's users, for which it has to be root. */
export const startDanted = async (method: 'none' | 'username' = 'none'): Promise<ProxyAddress> => {
  const port = await startDaemon('danted', async (port) => {
    const config = await temporaryFile('danted.conf', dantedConfig(port, method))
    return ['-f', config, '-p', `${config}.pid`]
  })
  return `127.0.0.1:${port}`
}

const dantedConfig = (port: number, method: string): string => `
logoutput: stderr
internal: 127.0.0.1 port = ${port}
external: lo
external.rotation: route
user.privileged: ${userInfo().username}
user.unprivileged: ${isRoot ? 'nobody' : userInfo().username}
clientmethod: none
socksmethod: ${method}
client pass { from: 127.0.0.0/8 to: 0/0 }
socks pass { from: 0/0 to: 0/0 command: connect bind udpassociate bindreply udpreply }
`

/** A user of this system that cannot log in, until the test is over. Needs root, useradd, chpasswd and userdel. */
export const addSystemUser = async (): Promise<Login> => {
  const login = { username: `it-socks-${process.pid}`, password: 'open sesame' }
  await succeed('useradd', ['--no-create-home', '--shell', '/usr/sbin/nologin', login.username])
  onTestFinished(async () => {
    await succeed('userdel', [login.username])
  })
  await succeed('chpasswd', [], { input: `${login.username}:${login.password}\n` })
  return login
}

/** `ssh -D`: a SOCKS server whose way out is at the other end of an ssh connection. */
export const startSshDynamic = async (): Promise<ProxyAddress> => {
  const { options, destination } = await startSshd()
  const forwarding = ['-N', '-o', 'ExitOnForwardFailure=yes', destination]
  const port = await startDaemon('ssh', (port) => [...options, '-D', `127.0.0.1:${port}`, ...forwarding])
  return `127.0.0.1:${port}`
}
