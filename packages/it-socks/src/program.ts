import { readFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import { connect, type ConnectOptions } from './connect/connect.ts'
import { parseProxyOption, withPassword } from './connect/proxy.ts'
import { formats, levels } from './log/log.ts'
import { argument, option, repeatable } from './options/option.ts'
import {
  parseCount,
  parseEndpoint,
  parseHost,
  parseOneOf,
  parsePort,
  parseSeconds,
  parseSecondsOrNone
} from './options/parse.ts'
import { serve, type ServeOptions } from './serve/serve.ts'
import { parseUser } from './serve/users.ts'

const examples = {
  all: `
Examples:
  it-socks serve      a proxy for this machine, on 127.0.0.1:1080
  curl --proxy socks5h://127.0.0.1:1080 https://example.com
  it-socks connect --proxy socks5h://127.0.0.1:1080 example.com 80

it-socks <command> --help tells all about a command.`,
  serve: `
With users, everybody needs a name and a password. Each session is logged on
stdout when it is over, everything else on stderr. SIGTERM or Ctrl-C stops the
server once open sessions are over or --drain has passed; a second one at once.

Examples:
  it-socks serve --listen '[::1]:9050'     another port, IPv6
  it-socks serve --listen unix:/run/proxy  guarded by permissions, not by port
  it-socks serve --listen 0.0.0.0:1080 --users users.txt
  htpasswd -B -c users.txt alice           how to make users.txt
  it-socks serve --log-level warning       only what goes wrong
  it-socks serve | jq .destination         where everybody goes

Exit status: 0 after a stop that was asked for, 1 where it cannot listen, 2 for
wrong usage.`,
  connect: `
What comes on stdin goes to the target, what the target says goes to stdout. The
end of one direction is passed on while the other goes on until it ends, too.
Others can see command lines: a password is better off in the environment.

Examples:
  it-socks connect --proxy socks5h://127.0.0.1:1080 example.com 80
  export IT_SOCKS_PROXY=socks5h://alice@proxy.example IT_SOCKS_PROXY_PASSWORD=…
  ssh -o ProxyCommand='it-socks connect %h %p' host.example

Exit status: 0 when both directions have ended, 1 where the proxy or the target
failed (stderr says which), 2 for wrong usage.`
}

/** The command line: `serve`, `connect`, and their help. Throws instead of exiting. */
export const program = (): Command => {
  const all = new Command('it-socks')
    .description('A SOCKS5 proxy server, and a netcat through one.')
    .version(version(), '--version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .exitOverride()
    .configureOutput({ outputError() {} })
    .addHelpText('after', examples.all)
  addServe(all)
  addConnect(all)
  return all
}

const addServe = (all: Command): void => {
  all
    .command('serve')
    .description('Serve SOCKS5 to clients.')
    .optionsGroup('Who may come in, and where:')
    .addOption(
      repeatable(
        '--listen <endpoint>',
        'host:port or unix:/path; may be repeated (default: 127.0.0.1:1080)',
        parseEndpoint
      )
    )
    .addOption(
      repeatable(
        '--user <name:password>',
        'a user; may be repeated. Others can see command lines: prefer --users',
        parseUser
      )
    )
    .addOption(repeatable('--users <file>', 'users, one a line: name:password, or as htpasswd -B writes them', String))
    .addOption(
      new Option('--allow-anonymous', 'serve everybody, not only on loopback: an open proxy').conflicts([
        'user',
        'users'
      ])
    )
    .optionsGroup('Limits:')
    .addOption(option('--max-connections <n>', 'reset further clients (default: no limit)', parseCount))
    .addOption(
      option('--handshake-timeout <s>', 'for a client to say what it wants', parseSeconds).default(10_000, '10')
    )
    .addOption(option('--connect-timeout <s>', 'for a target to answer', parseSeconds).default(30_000, '30'))
    .addOption(option('--idle-timeout <s>', 'with nothing going either way', parseSeconds).default(300_000, '300'))
    .addOption(option('--drain <s>', 'for open sessions when stopping', parseSecondsOrNone).default(5000, '5'))
    .optionsGroup('Log:')
    .addOption(option('--log-level <level>', levels.join(', '), parseOneOf(levels)).default('info'))
    .addOption(
      option(
        '--log-format <format>',
        'auto (pretty at a terminal, else json), pretty, json',
        parseOneOf(formats)
      ).default('auto')
    )
    .optionsGroup('Help:')
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', examples.serve)
    .action((options: ServeOptions) => serve(options))
}

const addConnect = (all: Command): void => {
  all
    .command('connect')
    .description('Connect stdin and stdout with a target through a SOCKS5 proxy, as netcat does.')
    .addArgument(argument('host', 'the target: a name or an IP address', parseHost))
    .addArgument(argument('port', 'its TCP port', parsePort))
    .addOption(
      option(
        '--proxy <url>',
        'socks5h://[name[:password]@]host[:port], or socks5:// to resolve names here',
        parseProxyOption
      )
        .env('IT_SOCKS_PROXY')
        .makeOptionMandatory()
    )
    .addOption(option('--timeout <s>', 'for the connection to be there', parseSeconds).default(30_000, '30'))
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', examples.connect)
    .action((host: string, port: number, { proxy, timeout }: ConnectOptions) =>
      connect({ host, port }, { timeout, proxy: withPassword(proxy, process.env['IT_SOCKS_PROXY_PASSWORD']) })
    )
}

const version = (): string => {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
