import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { startDaemon } from './daemon.ts'
import { isRoot } from './programs.ts'
import { succeed } from './run.ts'
import { temporaryFolder } from './temporary.ts'

/** An ssh server with a host key of its own, that lets one key of ours in. */
export interface Sshd {
  readonly port: number
  /** What ssh needs to log in there, but for the destination. */
  readonly options: readonly string[]
  /** `user@host`. */
  readonly destination: string
}

/** Starts a real sshd on a port of 127.0.0.1 for the length of the test. */
export const startSshd = async (): Promise<Sshd> => {
  const folder = await temporaryFolder()
  const file = (name: string): string => join(folder, name)
  for (const key of ['host', 'user']) await succeed('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(key)])
  // As its init script does; it insists on the folder where it runs as root.
  if (isRoot) await mkdir('/run/sshd', { recursive: true, mode: 0o755 })

  const port = await startDaemon('sshd', async (port) => {
    await writeFile(file('sshd_config'), sshdConfig(port, file))
    return ['-D', '-e', '-f', file('sshd_config')]
  })
  await writeFile(file('known_hosts'), `[127.0.0.1]:${port} ${await readFile(file('host.pub'), 'utf8')}`)
  const settings = [
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${file('known_hosts')}`,
    'LogLevel=ERROR'
  ]
  return {
    port,
    options: ['-F', 'none', '-i', file('user'), '-p', String(port), ...settings.flatMap((setting) => ['-o', setting])],
    destination: `${userInfo().username}@127.0.0.1`
  }
}

const sshdConfig = (port: number, file: (name: string) => string): string => `
ListenAddress 127.0.0.1:${port}
HostKey ${file('host')}
AuthorizedKeysFile ${file('user.pub')}
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
AllowTcpForwarding yes
`
