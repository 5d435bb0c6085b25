import { expect, it } from 'vitest'
import { UsageError } from '../src/failure.ts'
import { parseCommands } from '../src/serve/commands.ts'

it.each([
  ['connect', ['connect']],
  ['udp,bind', ['udpAssociate', 'bind']],
  ['resolve', ['resolve', 'resolvePtr']],
  ['connect,connect', ['connect']],
  ['connect,bind,udp,resolve', ['connect', 'bind', 'udpAssociate', 'resolve', 'resolvePtr']]
])('--commands %s is %j', (text, names) => {
  expect(parseCommands(text)).toEqual(names)
})

it.each(['', 'connect,', 'CONNECT', 'connect bind', 'udpAssociate', 'hasOwnProperty', 'alice:hunter2'])(
  '--commands does not take %j, and does not repeat it',
  (text) => {
    expect(() => parseCommands(text)).toThrow(
      new UsageError('takes some of connect, bind, udp, resolve, with commas between them')
    )
  }
)
