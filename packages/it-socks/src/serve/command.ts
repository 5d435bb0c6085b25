import { Option, type Command } from 'commander'
import { formats, levels } from '../log/log.ts'
import { parseFamily, parseHostEntry, parseIp, parseNameServer, parsePortRange } from '../options/network.ts'
import { adding, option, repeatable } from '../options/option.ts'
import { parseCount, parseEndpoint, parseOneOf, parseSeconds, parseSecondsOrNone } from '../options/parse.ts'
import { parseCommands } from './commands.ts'
import { engineNames } from './engine.ts'
import { ruleOption, type RuleSource } from './rules.ts'
import type { ServeOptions } from './prepare.ts'
import { serve } from './serve.ts'
import { parseUser, parseUserId } from './users.ts'

const more = `
With users, everybody needs a name and a password. Each session is logged on
stdout when it is over, everything else on stderr. SIGTERM or Ctrl-C stops the
server once open sessions are over or --drain has passed; a second one at once.

Of --allow, --deny and --rules together the first rule that matches decides.
What none matches is denied where one of them allows something, else allowed.
Clients that are not on loopback do not reach private networks or loopback,
whatever is allowed; with --allow-private it is for the rules to say. A rule is
"everything", or as many as it needs of these, with commas in between:

  connect, bind, udp, resolve    user <name>    by <method>
  from <where>    to <where>     port <n>, <n-m>

<where> is an address, a network such as 10.0.0.0/8, loopback, private, anywhere
or, with "to", a domain, by which its subdomains are meant too. <method> is
none, username/password or socks4.

Examples:
  it-socks serve --listen '[::1]:9050'     another port, IPv6
  it-socks serve --listen unix:/run/proxy  guarded by permissions, not by port
  it-socks serve --listen 0.0.0.0:1080 --users users.txt
  htpasswd -B -c users.txt alice           how to make users.txt
  it-socks serve --deny 'to ads.example' --deny 'to anywhere port 25'
  it-socks serve --log-level warning       only what goes wrong
  it-socks serve | jq .destination         where everybody goes

Exit status: 0 after a stop that was asked for, 1 where it cannot listen, 2 for
wrong usage.`

/** Adds `it-socks serve`. `args` is the whole command line; `act` does what it says. */
export const serveCommand = (all: Command, args: readonly string[], act: typeof serve = serve): void => {
  const command = all.command('serve').description('Serve SOCKS5, SOCKS4 and 4a to clients, on one port.')
  addAccess(command)
  const rules = addRules(command)
  addNetwork(command)
  addLimits(command)
  addSpeed(command)
  addLog(command)
  command
    .optionsGroup('Help:')
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', more)
    .action((options: Omit<ServeOptions, 'rules'>) => act({ ...options, rules }, args))
}

const addAccess = (command: Command): Command =>
  command
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
    .addOption(new Option('--no-socks4', 'SOCKS5 only').conflicts('socks4User'))
    .addOption(
      repeatable(
        '--socks4-user <id>',
        'admit this user id over SOCKS4, where nobody proves it; may be repeated (default: all, with users none)',
        parseUserId
      )
    )

/** The rules are filled in, in their order, when the command line is parsed. */
const addRules = (command: Command): RuleSource[] => {
  const rules: RuleSource[] = []
  command
    .optionsGroup('What they may do:')
    .addOption(
      option('--commands <list>', 'some of connect, bind, udp and resolve (default: connect,bind,udp)', parseCommands)
    )
    .addOption(ruleOption(rules, 'allow', 'a rule; may be repeated'))
    .addOption(ruleOption(rules, 'deny', 'a rule; may be repeated'))
    .addOption(adding(rules, '--rules <file>', 'rules, one a line: allow … or deny …', (path) => ({ path })))
    .addOption(new Option('--allow-private', 'let clients from elsewhere reach private networks and loopback'))
  return rules
}

const addNetwork = (command: Command): Command =>
  command
    .optionsGroup('Names and addresses:')
    .addOption(repeatable('--dns <ip[:port]>', 'ask this DNS server, not the system; may be repeated', parseNameServer))
    .addOption(repeatable('--host <name=ip[,ip…]>', 'know this name; may be repeated', parseHostEntry))
    .addOption(option('--family <4|6>', 'only addresses of this family', parseFamily))
    .addOption(option('--prefer <4|6>', 'addresses of this family first', parseFamily))
    .addOption(option('--public-host <ip>', 'where BIND and UDP are reached from outside a NAT', parseIp))
    .addOption(option('--ports <first-last>', 'for BIND and UDP (default: any)', parsePortRange))

const addLimits = (command: Command): Command =>
  command
    .optionsGroup('Limits:')
    .addOption(option('--max-connections <n>', 'reset further clients (default: no limit)', parseCount))
    .addOption(
      option('--handshake-timeout <s>', 'for a client to say what it wants', parseSeconds).default(10_000, '10')
    )
    .addOption(option('--connect-timeout <s>', 'for a target to answer', parseSeconds).default(30_000, '30'))
    .addOption(option('--bind-timeout <s>', 'for a target to connect', parseSeconds).default(60_000, '60'))
    .addOption(option('--idle-timeout <s>', 'with nothing going either way', parseSeconds).default(300_000, '300'))
    .addOption(option('--drain <s>', 'for open sessions when stopping', parseSecondsOrNone).default(5000, '5'))

const addSpeed = (command: Command): Command =>
  command
    .optionsGroup('Speed:')
    .addOption(
      option(
        '--engine <engine>',
        'auto (the fastest here), portable (Node), splice or epoll (Linux)',
        parseOneOf(engineNames)
      ).default('auto')
    )
    .addOption(
      option('--workers <n>', 'threads that serve; with epoll, or Node 22.12 and later', parseCount).default(1)
    )

const addLog = (command: Command): Command =>
  command
    .optionsGroup('Log:')
    .addOption(option('--log-level <level>', levels.join(', '), parseOneOf(levels)).default('info'))
    .addOption(
      option(
        '--log-format <format>',
        'auto (pretty at a terminal, else json), pretty, json',
        parseOneOf(formats)
      ).default('auto')
    )
