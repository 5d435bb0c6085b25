import { startDaemon } from './daemon.ts'

/** A name server on 127.0.0.1 that knows these names and no others; resolves with its port. For UDP and TCP. */
export const startDns = (addresses: Readonly<Record<string, string>>): Promise<number> => {
  const records = Object.entries(addresses).map(([name, ip]) => `--address=/${name}/${ip}`)
  const alone = ['--no-daemon', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--user=', '--pid-file=']
  const listen = (port: number) => ['--listen-address=127.0.0.1', '--bind-interfaces', `--port=${port}`]
  return startDaemon('dnsmasq', (port) => [...alone, ...listen(port), ...records])
}
