import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { connectCommand } from './connect/command.ts'
import { serveCommand } from './serve/command.ts'
import { udpCommand } from './udp/command.ts'

const examples = `
Examples:
  it-socks serve      a proxy for this machine, on 127.0.0.1:1080
  curl --proxy socks5h://127.0.0.1:1080 https://example.com
  it-socks connect --proxy socks5h://127.0.0.1:1080 example.com 80
  echo hello | it-socks udp --proxy socks5h://127.0.0.1:1080 example.com 7

it-socks <command> --help tells all about a command.`

/** The command line: `serve`, `connect`, `udp`, and their help. Throws instead of exiting. */
export const program = (args: readonly string[]): Command => {
  const all = new Command('it-socks')
    .description('A SOCKS4 and SOCKS5 proxy server, with BIND and UDP, and a netcat through one.')
    .version(version(), '--version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .exitOverride()
    .configureOutput({ outputError() {} })
    .addHelpText('after', examples)
  for (const define of [serveCommand, connectCommand, udpCommand]) define(all, args)
  return all
}

const version = (): string => {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
