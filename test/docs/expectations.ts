import { parseAst } from 'vitest/node'

interface Span {
  readonly start: number
  readonly end: number
}

/** Code whose promises have become checks. */
export interface Checked {
  readonly code: string
  /** How many there are. */
  readonly count: number
}

/**
 * Makes a check of each `expression // => value`: the expression, awaited, must deeply equal the value, which may go on
 * in the comments below. Every line stays on its line.
 *
 * @throws {SyntaxError} for a value that is none, or that follows no expression
 */
export const checked = (code: string): Checked => {
  const statements = expressionStatements(parseAst(code, { lang: 'ts' }))
  const edits: Edit[] = []
  const markers = [...code.matchAll(/\/\/ =>/g)]
  for (const { index } of markers) {
    const statement = statements.findLast(({ end }) => end <= index && code.slice(end, index).trim() === '')
    if (statement === undefined) throw new SyntaxError(`nothing stands before ${lineAt(code, index)}`)
    const value = valueAt(code, index)
    edits.push(
      { start: statement.start, end: statement.start, text: 'expect(await (' },
      { start: statement.end, end: statement.end, text: ')).toStrictEqual(' },
      { ...value, text: `${uncommented(code.slice(value.start, value.end))})` }
    )
  }
  return { code: apply(code, edits), count: markers.length }
}

interface Edit extends Span {
  readonly text: string
}

const apply = (code: string, edits: readonly Edit[]): string =>
  edits.toReversed().reduce((text, { start, end, text: replacement }) => {
    return text.slice(0, start) + replacement + text.slice(end)
  }, code)

/** The comment that starts at `start`, with as many of those below it as it takes to make an expression. */
const valueAt = (code: string, start: number): Span => {
  let end = start
  do {
    const rest = /^(?:\n\s*)?\/\/.*/.exec(code.slice(end))
    if (rest === null) throw new SyntaxError(`no value: ${lineAt(code, start)}`)
    end += rest[0].length
  } while (!isExpression(uncommented(code.slice(start, end))))
  return { start, end }
}

const uncommented = (comment: string): string => comment.replace(/\/\/ => ?/, '').replaceAll(/^\s*\/\//gm, '')

const isExpression = (text: string): boolean => {
  try {
    return parseAst(`(${text}\n)`, { lang: 'ts' }).body.length === 1
  } catch {
    return false
  }
}

const lineAt = (code: string, index: number): string => code.slice(index).split('\n', 1)[0]!

/** Every statement that is an expression, wherever it stands, in the order of their ends. */
const expressionStatements = (root: unknown): Span[] => {
  const found: Span[] = []
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    for (const child of Object.values(node)) visit(child)
    if ('type' in node && node.type === 'ExpressionStatement') found.push(node as unknown as Span)
  }
  visit(root)
  return found
}
