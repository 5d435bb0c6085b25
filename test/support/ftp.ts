import { formatAddress } from '@it-socks/protocol'
import { startDaemon } from './daemon.ts'
import { python, pythonModule } from './programs.ts'

/** What it takes to run an FTP server. */
export const ftpServer: readonly string[] = [python, pythonModule('pyftpdlib')]

/**
 * Serves a folder by FTP, to anybody and to write, too. It listens on 127.0.0.2, and from there it connects to clients in
 * active mode: they can tell it from a connection of anybody else's.
 */
export const startFtp = async (folder: string): Promise<{ host: string; port: number; address: string }> => {
  const host = '127.0.0.2'
  const serve = (port: number) => ['-m', 'pyftpdlib', '-i', host, '-p', String(port), '-d', folder, '-w']
  const port = await startDaemon(python, serve, host)
  return { host, port, address: formatAddress({ host, port }) }
}
