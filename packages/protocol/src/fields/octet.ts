import { CommandError, NoMethodsError, OctetError, ReservedError, TooLongError, VersionError } from '../errors.ts'
import type { Field, Part } from './field.ts'

const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')

/** A larger number would wrap: a refusal of 256 would be written as success. @throws {OctetError} */
const checkOctet = (name: string, value: number): number => {
  if (!Number.isInteger(value) || value < 0 || value > 255) throw new OctetError(name, value)
  return value
}

/** A byte that is always the same, and so holds no value. Where peers differ it is one of several; the first is written. */
const constant = (
  name: string,
  values: readonly [number, ...number[]],
  { meaning, mismatch }: { meaning: Part['meaning']; mismatch: (received: number) => Error }
): Field<void> => {
  const part: Part = { name, length: 1, meaning }
  const written = values.slice(0, 1)
  return {
    decode(parts) {
      const received = parts.number(part)
      if (!values.includes(received)) throw mismatch(received)
    },
    encode: () => written
  }
}

/**
 * VER: the version that this message must have.
 *
 * @param expected one version, or all that are read; the first is the one that is written
 * @param name what the RFC calls it. Default: VER.
 */
export const version = (expected: number | readonly [number, ...number[]], name = 'VER'): Field<void> =>
  constant(name, typeof expected === 'number' ? [expected] : expected, {
    meaning: ([received]) => `version ${received}`,
    mismatch: (received) => new VersionError(expected, received, name)
  })

/** RSV: a byte that must be zero. */
export const reserved: Field<void> = constant('RSV', [0], {
  meaning: () => 'reserved',
  mismatch: (received) => new ReservedError(received)
})

/** A byte that holds any number; `meaning` puts it into words. */
export const octet = (name: string, meaning: (value: number) => string = String): Field<number> => {
  const part: Part = { name, length: 1, meaning: ([value]) => meaning(value!) }
  return {
    decode: (parts) => parts.number(part),
    encode: (value) => [checkOctet(name, value)]
  }
}

/** CMD: a byte that stands for one of `commands`. `field` is what the RFC calls it. */
export const command = <Name extends string>(commands: Readonly<Record<Name, number>>, field = 'CMD'): Field<Name> => {
  const names = new Map<number, Name>(Object.entries<number>(commands).map(([name, code]) => [code, name as Name]))
  const part: Part = { name: field, length: 1, meaning: ([code]) => names.get(code!) ?? 'unknown' }
  return {
    decode(parts) {
      const code = parts.number(part)
      const name = names.get(code)
      if (name === undefined) throw new CommandError(code, field)
      return name
    },
    encode: (name) => [commands[name]]
  }
}

const nmethods: Part = { name: 'NMETHODS', length: 1, meaning: ([count]) => `${count} methods` }

/** NMETHODS and METHODS: a counted list of at least one byte. */
export const methods: Field<readonly number[]> = {
  decode(parts) {
    const count = parts.number(nmethods)
    if (count === 0) throw new NoMethodsError()
    const bytes = parts.take({ name: 'METHODS', length: count, meaning: hex })
    const values: number[] = []
    for (let index = 0; index < count; index++) values.push(bytes[index]!)
    return values
  },
  encode(values) {
    if (values.length === 0) throw new NoMethodsError()
    if (values.length > 255) throw new TooLongError('METHODS', values.length, 255)
    return [values.length, ...values.map((value) => checkOctet('METHODS', value))]
  }
}
