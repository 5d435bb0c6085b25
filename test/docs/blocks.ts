/** A `ts` block of a README or a docstring. */
export interface Block {
  /** The line of its opening fence, counted from 1. */
  readonly line: number
  readonly code: string
}

const fence = /^(?<margin> *(?:\* )?)```ts$/

/** The `ts` blocks of a Markdown file, or those in the docstrings of a source file. */
export const blocksOf = (text: string): Block[] => {
  const lines = text.split('\n')
  return lines.flatMap((line, index) => {
    const margin = fence.exec(line)?.groups?.['margin']
    if (margin === undefined) return []
    const end = lines.indexOf(`${margin}\`\`\``, index)
    if (end === -1) throw new Error(`the block in line ${index + 1} has no end`)
    const code = lines.slice(index + 1, end).map((line) => line.slice(margin.length).replaceAll(String.raw`*\/`, '*/'))
    return [{ line: index + 1, code: code.join('\n') }]
  })
}
