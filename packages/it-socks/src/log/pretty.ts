import type { TextFormatter } from '@logtape/logtape'
import { wayOf, type SessionRecord } from './record.ts'

type Paint = (text: string, ...codes: readonly number[]) => string

const bold = 1
const dim = 2
const red = 31
const green = 32
const yellow = 33

/** One line an event, for people. Whatever a client sent is shown without control characters. */
export const prettyFormatter = ({ colours }: { colours: boolean }): TextFormatter => {
  const paint: Paint = (text, ...codes) => (colours ? `\u001b[${codes.join(';')}m${text}\u001b[0m` : text)
  return ({ timestamp, level, message, properties }) => {
    const line =
      properties['event'] === 'session'
        ? sessionLine(properties as unknown as SessionRecord, paint)
        : paintLevel(level, harmless(message.map(String).join('')), paint)
    const hint = typeof properties['try'] === 'string' ? `\n${' '.repeat(9)}try ${properties['try']}` : ''
    return `${paint(clock(timestamp), dim)} ${line}${hint}\n`
  }
}

const paintLevel = (level: string, text: string, paint: Paint): string =>
  level === 'warning' ? paint(text, yellow) : level === 'error' || level === 'fatal' ? paint(text, bold, red) : text

const sessionLine = (session: SessionRecord, paint: Paint): string => {
  const { up, down, seconds, outcome, reply, reason } = session
  const end =
    outcome === 'ok' ? paint('ok', green) : paint(harmless(`${outcome}${reply ? ` ${reply}` : ''}: ${reason}`), yellow)
  const way = harmless(wayOf(session)).padEnd(44)
  return `${way}  ↑ ${bytes(up)}  ↓ ${bytes(down)}  ${duration(seconds)}  ${end}${losses(session, paint)}`
}

const losses = ({ dropped = {} }: SessionRecord, paint: Paint): string => {
  const counts = Object.entries(dropped).filter(([, count]) => count > 0)
  if (counts.length === 0) return ''
  return paint(`  dropped ${counts.map(([reason, count]) => `${count} ${harmless(reason)}`).join(', ')}`, yellow)
}

/** Local time, hours to seconds. */
const clock = (timestamp: number): string => {
  const date = new Date(timestamp)
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':')
}

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const

/** Bytes in three digits: `999 B`, `1.2 kB`, `34 MB`. A kilobyte has 1000. */
export const bytes = (count: number): string => {
  let value = count
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}

/** Seconds as `12 ms`, `3.4 s`, `2 min 5 s`, `1 h 3 min`. */
export const duration = (seconds: number): string => {
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

/** Control characters, line separators and marks that turn the writing direction, as `\u{…}`: they could fake a log. */
export const harmless = (text: string): string =>
  text.replaceAll(
    /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`
  )
