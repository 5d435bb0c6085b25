import { describe, expect, it, vi } from 'vitest'
import { runCli, type Ended } from '../../../test/support/cli.ts'
import { temporaryFile } from '../../../test/support/temporary.ts'
import { main } from '../src/main.ts'
import { takesPort } from '../src/options/parse.ts'

/** What is written to a stream, instead of writing it. */
const capture = (stream: NodeJS.WriteStream): { text(): string; restore(): void } => {
  const written: string[] = []
  const spy = vi.spyOn(stream, 'write').mockImplementation((text) => {
    written.push(String(text))
    return true
  })
  return { text: () => written.join(''), restore: () => spy.mockRestore() }
}

const takesRule = 'takes a rule: "everything", "to 10.0.0.0/8 port 80, 443", "user bob" …'

/** Runs `it-socks` in this process, which is quicker than to start it for each mistake one can make. */
const run = async (args: readonly string[]): Promise<Pick<Ended, 'code' | 'stdout' | 'stderr'>> => {
  const stdout = capture(process.stdout)
  const stderr = capture(process.stderr)
  try {
    return { code: await main(args), stdout: stdout.text(), stderr: stderr.text() }
  } finally {
    stdout.restore()
    stderr.restore()
  }
}

describe('it-socks', () => {
  it.each<[args: string[], message: string]>([
    [['frob'], "unknown command 'frob'"],
    [['serve', 'extra'], "too many arguments for 'serve'. Expected 0 arguments but got 1."],
    [['serve', '--listn', 'x'], "unknown option '--listn' (Did you mean --listen?)"],
    [['serve', '--listen'], "option '--listen <endpoint>' argument missing"],
    [['serve', '--listen', 'foo'], '--listen takes host:port or unix:/path (IPv6 goes in brackets)'],
    [['serve', '--listen', '127.0.0.1:99999'], '--listen takes a port from 0 to 65535'],
    [['serve', '--idle-timeout', '0'], '--idle-timeout takes seconds above 0'],
    [['serve', '--drain', 'soon'], '--drain takes seconds (at most 2147483)'],
    [['serve', '--max-connections', '0'], '--max-connections takes a whole number of at least 1'],
    [['serve', '--log-level', 'loud'], '--log-level takes one of debug, info, warning, error'],
    [['serve', '--user', 'alice'], '--user takes name:password'],
    [['serve', '--user', 'a:1', '--user', 'a:2'], 'two users are called "a" (--user, --users)'],
    [['serve', '--socks4-user', ''], '--socks4-user takes an id of 1 to 255 bytes'],
    [
      ['serve', '--socks4-user', 'a', '--no-socks4'],
      "option '--no-socks4' cannot be used with option '--socks4-user <id>'"
    ],
    [
      ['serve', '--commands', 'connect,fly'],
      '--commands takes some of connect, bind, udp, resolve, with commas between them'
    ],
    [['serve', '--dns', 'dns.example'], '--dns takes ip or ip:port (IPv6 with a port goes in brackets)'],
    [['serve', '--host', 'intranet'], '--host takes name=ip or name=ip,ip'],
    [['serve', '--family', '5'], '--family takes one of 4, 6'],
    [['serve', '--prefer', 'ipv4'], '--prefer takes one of 4, 6'],
    [['serve', '--public-host', 'proxy.example'], '--public-host takes an IP address'],
    [['serve', '--ports', '2-1'], '--ports takes first-last, two ports from 1 to 65535'],
    [['serve', '--bind-timeout', '0'], '--bind-timeout takes seconds above 0'],
    [['serve', '--allow', 'it'], `--allow ${takesRule}`],
    [['serve', '--deny', 'deny everything'], `--deny ${takesRule}`],
    [['serve', '--deny', 'to'], '--deny cannot read the rule "deny to": "to" is missing at the end'],
    [
      ['serve', '--user', 'a:1', '--allow-anonymous'],
      "option '--allow-anonymous' cannot be used with option '--user <name:password>'"
    ],
    [['connect', 'example.com', '80'], "required option '--proxy <url>' not specified"],
    [['connect', '--proxy', 'socks5h://proxy', 'example.com'], "missing required argument 'port'"],
    [['connect', '--proxy', 'socks5h://proxy', 'example.com', '0'], `port ${takesPort}`],
    [['connect', '--proxy', 'socks5h://proxy', 'a b', '1'], 'host is a name or an IP address, without port or scheme'],
    [
      ['connect', '--proxy', 'http://proxy', 'example.com', '80'],
      '--proxy takes socks5h://[name[:password]@]host[:port]: http:// is no proxy scheme: use socks5h://, socks5://, socks4a:// or socks4://'
    ],
    [
      ['connect', '--proxy', 'socks4a://alice:secret@proxy', 'example.com', '80'],
      '--proxy takes socks5h://[name[:password]@]host[:port]: SOCKS4 has a user id, and no password'
    ],
    [['connect', '--bind', '--proxy', 'socks5h://proxy', 'example.com', '65536'], `port ${takesPort}`],
    [['udp', 'example.com', '53'], "required option '--proxy <url>' not specified"],
    [['udp', '--proxy', 'socks5h://proxy', 'example.com', '0'], 'port is a number from 1 to 65535'],
    [['udp', '--proxy', 'socks5h://proxy', '--count', 'all', 'example.com', '53'], '--count takes a whole number'],
    [['udp', '--proxy', 'socks5h://proxy', '--timeout', '0', 'example.com', '53'], '--timeout takes seconds above 0'],
    [
      ['udp', '--proxy', 'socks4a://proxy', 'example.com', '53'],
      '--proxy names a SOCKS4 proxy, and SOCKS4 has no UDP: use socks5h:// or socks5://'
    ],
    [
      ['udp', '--proxy', 'socks5h://alice@proxy', 'example.com', '53'],
      '--proxy has a user name and no password: put it into IT_SOCKS_PROXY_PASSWORD'
    ],
    [
      ['connect', '--proxy', 'socks5h://alice@proxy', 'example.com', '80'],
      '--proxy has a user name and no password: put it into IT_SOCKS_PROXY_PASSWORD'
    ]
  ])('%j is wrong usage: one line on stderr and exit code 2', async (args, message) => {
    expect(await run(args)).toMatchObject({ code: 2, stdout: '', stderr: `it-socks: ${message}\n` })
  })

  it.each([
    [['serve', '--usr=alice:hunter2']],
    [['serve', '-ualice:hunter2']],
    [['alice:hunter2']],
    [['socks5://alice:hunter2@proxy', 'example.com', '80']],
    [["alice:'hunter2'\nhunter2'"]],
    [['serve', 'alice:hunter2']],
    [['serve', '--user', 'hunter2']],
    [['serve', '--users', 'alice:hunter2']],
    [['serve', '--listen', 'alice:hunter2']],
    [['serve', '--listen', 'alice:hunter2@127.0.0.1:1080']],
    [['serve', '--listen', 'socks5://alice:hunter2@127.0.0.1:99999']],
    [['serve', '--log-level', 'alice:hunter2']],
    [['serve', '--drain', 'alice:hunter2']],
    [['serve', '--allow', 'alice:hunter2']],
    [['serve', '--deny', 'alice hunter2']],
    [['serve', '--rules', 'alice:hunter2']],
    [['serve', '--dns', 'alice:hunter2']],
    [['serve', '--host', 'alice=hunter2']],
    [['serve', '--public-host', 'alice:hunter2']],
    [['serve', '--ports', 'alice:hunter2']],
    [['serve', '--commands', 'alice:hunter2']],
    [['serve', '--socks4-user', `alice:${'hunter2'.repeat(40)}`]],
    [['udp', '--proxy', 'socks4a://alice:hunter2@proxy', 'example.com', '80']],
    [['udp', '--proxy', 'socks5h://proxy', '--count', 'alice:hunter2', 'example.com', '80']],
    [['connect', '--proxy', 'socks5h://proxy', 'socks5://alice:hunter2@proxy', '80']],
    [['connect', '--proxy', 'socks5h://proxy', 'alice:hunter2', '80']],
    [['connect', '--proxy', 'socks5h://proxy', 'example.com', 'alice:hunter2']],
    [['connect', '--proxy', 'socks5h://proxy', 'example.com', '80', 'alice:hunter2']],
    [['connect', '--proxy', 'socks5h://alice:hunter2@proxy/hunter2?hunter2#hunter2', 'example.com', '80']],
    [['serve', '--user', `alice:${'hunter2'.repeat(40)}`]],
    [['serve', '--user', 'alice:$apr1$hunter2']],
    [['serve', '--user', 'alice:hunter2', '--user', 'alice:hunter2']],
    [['serve', '--user', 'alice:hunter2', '--allow-anonymous']],
    [['serve', '--user', 'alice:hunter2', '--listen', 'unix:/nonexistent/socket']],
    [['connect', '--proxy', 'http://alice:hunter2@proxy', 'example.com', '80']],
    [['connect', '--proxy', 'socks5h://alice:hunter2@', 'example.com', '80']],
    [['connect', '--proxy', 'socks5h://alice:hunter2%zz@proxy', 'example.com', '80']],
    [['connect', '--proxy', 'socks5h://alice:hunter2@proxy', 'example.com', '0']]
  ])('%j fails without repeating the password', async (args) => {
    const { code, stdout, stderr } = await run(args)
    expect(code).toBeGreaterThan(0)
    expect(stderr).toMatch(/^it-socks: .+\n$/)
    expect(stdout + stderr).not.toContain('hunter2')
  })

  it('names the line of a users file that is wrong', async () => {
    const users = await temporaryFile('users', 'alice:hunter2\nhunter2\n')
    const stderr = `it-socks: --users takes name:password: ${users}, line 2\n`
    expect(await run(['serve', '--users', users])).toMatchObject({ code: 2, stderr })
  })

  it.each([
    ['deny to 192.0.2.0/24\nallow it\n', /^it-socks: --rules cannot read the rule "allow it": .+: PATH, line 2\n$/],
    ['# ours\n\nalice:hunter2\n', /^it-socks: --rules takes lines that start with allow or deny: PATH, line 3\n$/]
  ])('names the line of a rules file that is wrong, and repeats nothing but rules: %j', async (content, message) => {
    const path = await temporaryFile('rules', content)
    const { code, stderr } = await run(['serve', '--rules', path])
    expect(code).toBe(2)
    expect(stderr.replace(path, 'PATH')).toMatch(message)
  })

  it('says that a rules file cannot be read', async () => {
    const path = await temporaryFile('rules', '')
    const stderr = `it-socks: --rules names a file that cannot be read: ${path}.bak: ENOENT\n`
    expect(await run(['serve', '--rules', `${path}.bak`])).toMatchObject({ code: 2, stderr })
  })

  it.each(['0.0.0.0:0', '[::]:0', 'proxy.example:0'])('does not open %s to everybody by mistake', async (endpoint) => {
    const { code, stderr } = await run(['serve', '--listen', endpoint])
    expect(code).toBe(2)
    expect(stderr).toContain(`${endpoint} would be a proxy open to everybody`)
    expect(stderr).toMatch(/^it-socks: .*--users.*--allow-anonymous.*\n$/)
  })

  it('shows its help where nothing was asked, on stderr and with exit code 2', async () => {
    const { code, stdout, stderr } = await run([])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('it-socks serve')
  })

  it.each([
    [['--help']],
    [['serve', '--help']],
    [['connect', '--help']],
    [['udp', '--help']],
    [['help']],
    [['help', 'serve']],
    [['help', 'connect']],
    [['help', 'udp']]
  ])('%j ends with examples and fits 80 columns', async (args) => {
    const { code, stdout, stderr } = await run(args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/\nExamples:\n.*it-socks /)
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
  })

  it.each(['serve', 'connect', 'udp'])('help %s is %s --help', async (command) => {
    expect(await run(['help', command])).toEqual(await run([command, '--help']))
  })

  it('shows all help, as wrong usage, of a command that there is not', async () => {
    const { code, stdout, stderr } = await run(['help', 'frob'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('it-socks serve')
  })

  it('exits with those codes', async () => {
    expect(await runCli(['serve', '--listen', 'foo'])).toMatchObject({ code: 2, signal: null, stdout: '' })
    expect(await runCli(['--help'])).toMatchObject({ code: 0, signal: null, stderr: '' })
  })

  it('tells its version', async () => {
    expect(await run(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
  })
})
