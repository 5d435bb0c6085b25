import { accessSync, constants, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Proxy } from './proxy.ts'

// Daemons live in folders that are on nobody's PATH but the administrator's.
const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin']

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Where an installed program is: what the environment names, or the first of that name. */
const find = (name: string, variable?: string): string | undefined => {
  const named = variable === undefined ? undefined : process.env[variable]
  return (named === undefined ? folders.map((folder) => join(folder, name)) : [named]).find(isExecutable)
}

const config = (folder: string, name: string, ...lines: string[]): string => {
  const path = join(folder, name)
  writeFileSync(path, lines.join('\n') + '\n')
  return path
}

interface Program {
  readonly name: string
  readonly program: string
  readonly variable?: string
  readonly about: string
  readonly udp: boolean
  readonly arguments: (port: number, folder: string) => string[]
}

const programs: readonly Program[] = [
  {
    name: 'microsocks',
    program: 'microsocks',
    about: 'microsocks, a thread for each client',
    udp: false,
    arguments: (port) => ['-i', '127.0.0.1', '-p', String(port)]
  },
  {
    name: 'dante',
    program: 'danted',
    about: 'dante-server, one server process',
    udp: true,
    arguments: (port, folder) => [
      '-N',
      '1',
      '-p',
      join(folder, `dante-${port}.pid`),
      '-f',
      config(
        folder,
        `dante-${port}.conf`,
        'logoutput: /dev/null',
        'errorlog: /dev/null',
        `internal: 127.0.0.1 port = ${port}`,
        'external: 127.0.0.1',
        'clientmethod: none',
        'socksmethod: none',
        'user.privileged: root',
        'user.unprivileged: nobody',
        'client pass { from: 0/0 to: 0/0 log: error }',
        'socks pass { from: 0/0 to: 0/0 log: error }'
      )
    ]
  },
  {
    name: 'hev',
    program: 'hev-socks5-server',
    variable: 'IT_SOCKS_BENCH_HEV',
    about: 'hev-socks5-server, one worker',
    udp: true,
    arguments: (port, folder) => [
      config(
        folder,
        `hev-${port}.yml`,
        'main:',
        '  workers: 1',
        `  port: ${port}`,
        "  listen-address: '127.0.0.1'",
        'misc:',
        '  log-level: error'
      )
    ]
  },
  {
    name: '3proxy',
    program: '3proxy',
    variable: 'IT_SOCKS_BENCH_3PROXY',
    about: '3proxy with splice, a thread for each client',
    udp: true,
    arguments: (port, folder) => [
      config(folder, `3proxy-${port}.cfg`, 'maxconn 20000', 'auth none', 'allow *', `socks -s -t -i127.0.0.1 -p${port}`)
    ]
  }
]

/** Programs that are not Node's: those that are on the PATH, or that the environment names. */
export const installedProxies = (): Proxy[] =>
  programs.map(({ name, program, variable, about, udp, arguments: args }) => {
    const path = find(program, variable)
    const named = variable === undefined ? '' : `, and ${variable} does not name it`
    return {
      name,
      about,
      udp,
      tells: false,
      command: (port, folder) => [path!, ...args(port, folder)],
      missing: path === undefined ? `${program} is not installed${named}` : undefined
    }
  })
