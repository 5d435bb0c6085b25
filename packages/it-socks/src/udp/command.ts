import { Option, type Command } from 'commander'
import { UsageError } from '../failure.ts'
import { argument, option } from '../options/option.ts'
import { parseCountOrNone, parseHost, parsePort, parseSeconds } from '../options/parse.ts'
import { proxyOption, withPassword } from '../proxy/proxy.ts'
import { udp, type UdpOptions } from './udp.ts'

const more = `
All of stdin is one datagram, or each line is one; what comes back goes to
stdout, from whichever address, with --lines one reply a line. --timeout is for
the proxy to be ready and, once stdin has ended, for each reply. UDP may lose
datagrams on their way: nobody sends them again.

Examples:
  echo hello | it-socks udp --proxy socks5h://127.0.0.1:1080 example.com 7
  printf 'one\\ntwo\\n' | it-socks udp --lines --count 2 example.com 7
  echo '<14>it works' | it-socks udp --count 0 log.example 514

Exit status: 0 after so many replies, or with --count 0 when all is sent; 1
where fewer came or the proxy failed (stderr says why), 2 for wrong usage.`

/** Adds `it-socks udp`. */
export const udpCommand = (all: Command): void => {
  all
    .command('udp')
    .description('Send stdin as UDP datagrams through a SOCKS5 proxy, and print the replies.')
    .addArgument(argument('host', 'the target: a name or an IP address', parseHost))
    .addArgument(argument('port', 'its UDP port', parsePort))
    .addOption(proxyOption('socks5h://[name[:password]@]host[:port], or socks5:// to resolve names here'))
    .addOption(new Option('--lines', 'send each line by itself, without its newline'))
    .addOption(option('--count <n>', 'replies to wait for; 0 waits for none', parseCountOrNone).default(1, '1'))
    .addOption(option('--timeout <s>', 'for the proxy, and for a reply', parseSeconds).default(5000, '5'))
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', more)
    .action((host: string, port: number, options: UdpOptions) => {
      if (options.proxy.version === 4) {
        throw new UsageError('--proxy names a SOCKS4 proxy, and SOCKS4 has no UDP: use socks5h:// or socks5://')
      }
      return udp({ host, port }, { ...options, proxy: withPassword(options.proxy) })
    })
}
