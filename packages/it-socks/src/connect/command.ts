import { Option, type Command } from 'commander'
import { UsageError } from '../failure.ts'
import { argument, option } from '../options/option.ts'
import { parseHost, parsePortOrAny, parseSeconds, takesPort } from '../options/parse.ts'
import { proxyOption, withPassword } from '../proxy/proxy.ts'
import { connect, type ConnectOptions } from './connect.ts'
import { listen } from './listen.ts'

const more = `
What comes on stdin goes to the target, what the target says goes to stdout. The
end of one direction is passed on while the other goes on until it ends, too.
Others can see command lines: a password is better off in the environment.

With --bind it is the target that connects: the first line on stdout says where
the proxy listens for it. The proxy lets in host alone, whatever its port; with
0.0.0.0 0 anybody. How long it listens is for the proxy to say.

Examples:
  it-socks connect --proxy socks5h://127.0.0.1:1080 example.com 80
  it-socks connect --bind --proxy socks4a://proxy.example 0.0.0.0 0
  export IT_SOCKS_PROXY=socks5h://alice@proxy.example IT_SOCKS_PROXY_PASSWORD=…
  ssh -o ProxyCommand='it-socks connect %h %p' host.example

Exit status: 0 when both directions have ended, 1 where the proxy or the target
failed (stderr says which), 2 for wrong usage.`

/** Adds `it-socks connect`. */
export const connectCommand = (all: Command): void => {
  all
    .command('connect')
    .description('Connect stdin and stdout with a target through a proxy, as netcat does.')
    .addArgument(argument('host', 'the target: a name or an IP address', parseHost))
    .addArgument(argument('port', 'its TCP port', parsePortOrAny))
    .addOption(
      proxyOption(
        'socks5h://[name[:password]@]host[:port] or socks4a://[id@]…; socks5://, socks4:// to resolve names here'
      )
    )
    .addOption(new Option('--bind', 'have the proxy listen for the target, and say where'))
    .addOption(option('--timeout <s>', 'for the proxy and the target to be there', parseSeconds).default(30_000, '30'))
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', more)
    .action((host: string, port: number, { proxy, timeout, bind = false }: ConnectOptions & { bind?: boolean }) => {
      if (port === 0 && !bind) throw new UsageError(`port ${takesPort}`)
      return (bind ? listen : connect)({ host, port }, { timeout, proxy: withPassword(proxy) })
    })
}
