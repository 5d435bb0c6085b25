import type { CommandName } from '@it-socks/protocol'
import { UsageError } from '../failure.ts'

const commands = {
  connect: ['connect'],
  bind: ['bind'],
  udp: ['udpAssociate'],
  resolve: ['resolve', 'resolvePtr']
} as const satisfies Record<string, readonly CommandName[]>

type Word = keyof typeof commands

const isWord = (text: string): text is Word => Object.hasOwn(commands, text)

/** Words for what clients may ask for, with commas between them. @throws {UsageError} */
export const parseCommands = (text: string): CommandName[] => {
  const names = text.split(',').flatMap((word): readonly CommandName[] => {
    if (isWord(word)) return commands[word]
    throw new UsageError(`takes some of ${Object.keys(commands).join(', ')}, with commas between them`)
  })
  return [...new Set(names)]
}
