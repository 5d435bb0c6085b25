import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { fragment, reassemble, type ReassembleOptions } from '@it-socks/command'
import { ConfigurationError, TooLongError, type Datagram } from '@it-socks/protocol'
import { hex } from '@it-socks/testing'

const destination = { host: '192.0.2.9', port: 53 }
const elsewhere = { host: '192.0.2.9', port: 54 }
const end = 0x80

const text = (data: Uint8Array): string => new TextDecoder().decode(data)

/** A queue that tells of whole datagrams by their text, and counts what it dropped. */
const queue = (options?: ReassembleOptions) => {
  let dropped = 0
  const { take, stop } = reassemble((fragments) => {
    dropped += fragments
  }, options)
  return {
    take: (fragment: number, data: string, to = destination): string | undefined => {
      const whole = take({ fragment, destination: to, data: hex`${data}` })
      return whole && text(whole.data)
    },
    dropped: () => dropped,
    stop
  }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('fragment', () => {
  it('leaves what fits alone', () => {
    expect(fragment(hex``, 1)).toEqual([{ fragment: 0, data: hex`` }])
    expect(fragment(hex`01 02`, 2)).toEqual([{ fragment: 0, data: hex`01 02` }])
  })

  it('marks the last fragment by the high bit', () => {
    expect(fragment(hex`01 02 03 04 05`, 2)).toEqual([
      { fragment: 1, data: hex`01 02` },
      { fragment: 2, data: hex`03 04` },
      { fragment: 0x83, data: hex`05` }
    ])
  })

  it('makes 127 of them, and no more', () => {
    expect(fragment(new Uint8Array(127), 1).at(-1)).toEqual({ fragment: 0xff, data: hex`00` })
    expect(() => fragment(new Uint8Array(128), 1)).toThrow(TooLongError)
    expect(() => fragment(new Uint8Array(128), 1)).toThrow('DATA has 128 bytes, and 127 is the most it can have')
  })

  it.each([0, -1, 1.5, Number.NaN, Infinity])('takes no size of %d', (size) => {
    expect(() => fragment(hex`01`, size)).toThrow(ConfigurationError)
  })

  it('is what reassemble undoes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1000 }), fc.integer({ min: 8, max: 1000 }), (data, size) => {
        const { take } = reassemble(() => expect.unreachable('nothing is dropped'))
        const wholes = fragment(data, size).map((piece) => take({ ...piece, destination }))
        expect(wholes.slice(0, -1).every((whole) => whole === undefined)).toBe(true)
        expect(wholes.at(-1)).toEqual({ fragment: 0, destination, data })
      })
    )
  })
})

describe('reassemble', () => {
  it('lets a datagram that stands alone pass as it is', () => {
    const datagram: Datagram = { fragment: 0, destination, data: hex`01` }
    expect(reassemble(() => {}).take(datagram)).toBe(datagram)
  })

  it('puts fragments together that come in order', () => {
    const { take, dropped } = queue()
    expect([take(1, 'a'), take(2, 'b'), take(3 | end, 'c')]).toEqual([undefined, undefined, 'abc'])
    expect([take(1, 'd'), take(2 | end, 'e')]).toEqual([undefined, 'de'])
    expect(take(1 | end, 'f')).toBe('f')
    expect(dropped()).toBe(0)
    expect(vi.getTimerCount(), 'timers left').toBe(0)
  })

  it('starts anew with a first fragment', () => {
    const { take, dropped } = queue()
    expect([take(1, 'a'), take(2, 'b'), take(1, 'c'), take(2 | end, 'd')].at(-1)).toBe('cd')
    expect(dropped()).toBe(2)
  })

  it('abandons the queue for a datagram that stands alone', () => {
    const { take, dropped } = queue()
    expect([take(1, 'a'), take(0, 'b'), take(2 | end, 'c')]).toEqual([undefined, 'b', undefined])
    expect(dropped()).toBe(2)
  })

  it('abandons it for a fragment that is lower and not the first: that one cannot start', () => {
    const { take, dropped } = queue()
    expect([take(1, 'a'), take(2, 'b'), take(3, 'c'), take(2, 'b'), take(3 | end, 'c')].at(-1)).toBeUndefined()
    expect(dropped()).toBe(5)
  })

  it('ignores the highest that comes again', () => {
    const { take, dropped } = queue()
    expect([take(1, 'a'), take(1, 'a'), take(2, 'b'), take(2, 'b'), take(3 | end, 'c')].at(-1)).toBe('abc')
    expect(dropped()).toBe(2)
  })

  it('does not mix a first fragment with the rest of the next datagram', () => {
    const { take, dropped } = queue()
    expect([take(1, 'a'), take(1, 'c'), take(2 | end, 'd')].at(-1)).toBe('cd')
    expect([take(1, 'a'), take(2, 'b'), take(2, 'c'), take(3 | end, 'd')].at(-1)).toBeUndefined()
    expect(dropped()).toBe(5)
  })

  it('abandons a queue with a gap', () => {
    const { take, dropped } = queue()
    expect([take(1, 'a'), take(3 | end, 'c'), take(2 | end, 'b')]).toEqual([undefined, undefined, undefined])
    expect(dropped()).toBe(3)
  })

  it.each([2, 127, 2 | end, 0 | end])('does not start with fragment %d', (first) => {
    const { take, dropped } = queue()
    expect(take(first, 'a')).toBeUndefined()
    expect(dropped()).toBe(1)
  })

  it('abandons it for a last fragment without a place', () => {
    const { take, dropped } = queue()
    expect([take(1, 'a'), take(end, 'b'), take(2 | end, 'c')]).toEqual([undefined, undefined, undefined])
    expect(dropped()).toBe(3)
  })

  it('abandons it for a fragment with another destination, which may start one', () => {
    const { take, dropped } = queue()
    expect([take(1, 'a'), take(2 | end, 'b', elsewhere)]).toEqual([undefined, undefined])
    expect([take(1, 'c'), take(1, 'd', elsewhere), take(2 | end, 'e', elsewhere)].at(-1)).toBe('de')
    expect(dropped()).toBe(3)
  })

  it('holds as many bytes as its limit says, and abandons more', () => {
    const { take, dropped } = queue({ reassemblyLimit: 4 })
    expect([take(1, 'ab'), take(2 | end, 'cd')].at(-1)).toBe('abcd')
    expect([take(1, 'ab'), take(2, 'cde'), take(3 | end, '')].at(-1)).toBeUndefined()
    expect(dropped()).toBe(3)
  })

  it('holds what UDP can carry, by default', () => {
    const { take } = reassemble(() => {})
    take({ fragment: 1, destination, data: new Uint8Array(65_000) })
    expect(take({ fragment: 2 | end, destination, data: new Uint8Array(507) })?.data.length).toBe(65_507)
    take({ fragment: 1, destination, data: new Uint8Array(65_000) })
    expect(take({ fragment: 2 | end, destination, data: new Uint8Array(508) })).toBeUndefined()
  })
})

describe('the reassembly timer', () => {
  it('abandons what is not whole after 5 seconds from its first fragment', () => {
    const { take, dropped } = queue()
    take(1, 'a')
    vi.advanceTimersByTime(3000)
    take(2, 'b')
    vi.advanceTimersByTime(1999)
    expect(dropped()).toBe(0)
    vi.advanceTimersByTime(1)
    expect(dropped()).toBe(2)
    expect(vi.getTimerCount(), 'timers left').toBe(0)
    expect(take(3 | end, 'c')).toBeUndefined()
  })

  it('starts anew with the queue', () => {
    const { take, dropped } = queue()
    take(1, 'a')
    vi.advanceTimersByTime(4000)
    take(1, 'b')
    vi.advanceTimersByTime(4000)
    expect(take(2 | end, 'c')).toBe('bc')
    expect(dropped()).toBe(1)
  })

  it('takes as long as it was told to', () => {
    const { take } = queue({ reassemblyTimeout: 60_000 })
    take(1, 'a')
    vi.advanceTimersByTime(59_999)
    expect(take(2 | end, 'b')).toBe('ab')
  })

  it('stops when told to, and forgets the queue', () => {
    const { take, stop, dropped } = queue()
    take(1, 'a')
    stop()
    expect(vi.getTimerCount()).toBe(0)
    expect(take(2 | end, 'b')).toBeUndefined()
    expect(dropped()).toBe(1)
  })

  it.each([4999, 0, -1, Number.NaN])('is never shorter than RFC 1928 allows: not %d ms', (reassemblyTimeout) => {
    expect(() => queue({ reassemblyTimeout })).toThrow(ConfigurationError)
  })
})
