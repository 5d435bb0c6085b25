import { describe, expect, it, vi } from 'vitest'
import { runCli, type Ended } from '../../../test/support/cli.ts'
import { temporaryFile } from '../../../test/support/temporary.ts'
import { main } from '../src/main.ts'

/** What is written to a stream, instead of writing it. */
const capture = (stream: NodeJS.WriteStream): { text(): string; restore(): void } => {
  const written: string[] = []
  const spy = vi.spyOn(stream, 'write').mockImplementation((text) => {
    written.push(String(text))
    return true
  })
  return { text: () => written.join(''), restore: () => spy.mockRestore() }
}

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
    [
      ['serve', '--user', 'a:1', '--allow-anonymous'],
      "option '--allow-anonymous' cannot be used with option '--user <name:password>'"
    ],
    [['connect', 'example.com', '80'], "required option '--proxy <url>' not specified"],
    [['connect', '--proxy', 'socks5h://proxy', 'example.com'], "missing required argument 'port'"],
    [['connect', '--proxy', 'socks5h://proxy', 'example.com', '0'], 'port is a number from 1 to 65535'],
    [['connect', '--proxy', 'socks5h://proxy', 'a b', '1'], 'host is a name or an IP address, without port or scheme'],
    [
      ['connect', '--proxy', 'http://proxy', 'example.com', '80'],
      '--proxy takes socks5h://[name[:password]@]host[:port]: http:// is no proxy scheme: use socks5:// or socks5h://'
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
    [['help']],
    [['help', 'serve']],
    [['help', 'connect']]
  ])('%j ends with examples and fits 80 columns', async (args) => {
    const { code, stdout, stderr } = await run(args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('\nExamples:\n  it-socks ')
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
  })

  it.each(['serve', 'connect'])('help %s is %s --help', async (command) => {
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
