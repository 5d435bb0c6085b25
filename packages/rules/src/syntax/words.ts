import { ConfigurationError } from '@it-socks/protocol'

/** A word of a rule: what stands between spaces and commas, or in quotes; or a comma. */
export interface Word {
  readonly value: string
  /** In quotes, and so no keyword. */
  readonly quoted: boolean
}

const patterns = /\s+|#.*|(?<comma>,)|(?<quoted>"(?:[^"\\]|\\.)*")|(?<bare>[^\s,"]+)/gsuy

/** The words of a rule, up to a comment. @throws {ConfigurationError} for a quote that does not end, or is no JSON string */
export const wordsOf = (text: string): Word[] => {
  const words: Word[] = []
  let end = 0
  for (const match of text.matchAll(patterns)) {
    const { comma, quoted, bare } = match.groups!
    end = match.index + match[0].length
    if (quoted !== undefined) words.push({ value: unquote(quoted), quoted: true })
    else if (comma !== undefined || bare !== undefined) words.push({ value: match[0], quoted: false })
  }
  if (end < text.length) throw new ConfigurationError(`the quote that starts at ${show(text.slice(end))} does not end`)
  return words
}

const unquote = (quoted: string): string => {
  try {
    return JSON.parse(quoted) as string
  } catch (cause) {
    throw new ConfigurationError(
      `${show(quoted)} is not a quoted name: inside of it \\" is a quote, \\\\ a backslash`,
      {
        cause
      }
    )
  }
}

/** A part of a rule as messages show it: quoted, on one line, and not too much of it. */
export const show = (text: string): string => quote(text.length > 100 ? `${text.slice(0, 100)}…` : text)

// JSON escapes the control characters up to U+001F only; U+009B alone starts an escape sequence on some terminals.
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu
const escaped = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`
  ).join('')

/** A text in quotes, as {@link wordsOf} reads it. */
export const quote = (text: string): string => JSON.stringify(text).replaceAll(unprintable, escaped)
