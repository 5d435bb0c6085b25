import { describe, expect, it } from 'vitest'
import { ownerOf, placeOf } from '../src/flame/owner.ts'
import { selfTimes, type Profile } from '../src/flame/profile.ts'
import { drawFlame } from '../src/flame/svg.ts'
import { callTree, shares } from '../src/flame/tree.ts'

const frame = (functionName: string, url = '', lineNumber = 0): Profile['nodes'][number]['callFrame'] => ({
  functionName,
  url,
  lineNumber
})

/** `turn` calls `recv` and, without a name, something of Node's; beside them the collector, and waits. */
const profile: Profile = {
  nodes: [
    { id: 1, callFrame: frame('(root)', '', -1), children: [2, 3, 4, 8] },
    { id: 2, callFrame: frame('(idle)', '', -1) },
    { id: 3, callFrame: frame('(garbage collector)', '', -1) },
    {
      id: 4,
      callFrame: frame('turn', 'file:///home/me/it-socks/packages/stage/dist/course.js', 80),
      children: [5, 6, 7]
    },
    { id: 5, callFrame: frame('', 'node:net', 9) },
    { id: 6, callFrame: frame('recv', 'file:///home/me/it-socks/packages/syscall/dist/libc.js', 54) },
    { id: 7, callFrame: frame('never', 'file:///home/me/it-socks/packages/net/dist/dial.js', 1) },
    { id: 8, callFrame: frame('(program)', '', -1) }
  ],
  startTime: 1000,
  samples: [2, 4, 5, 6, 6, 3, 8, 2],
  timeDeltas: [0, 100, 10, 20, 30, 40, 50, 60]
}

describe('the times of a profile', () => {
  it('count until the next look', () => {
    expect([...selfTimes(profile, { from: 0, to: Infinity })]).toEqual([
      [2, 100],
      [4, 10],
      [5, 20],
      [6, 70],
      [3, 50],
      [8, 60]
    ])
  })

  it('are cut where the span begins and ends', () => {
    expect([...selfTimes(profile, { from: 1115, to: 1150 })]).toEqual([
      [5, 15],
      [6, 20]
    ])
  })
})

describe('owners', () => {
  it.each([
    [frame('(program)'), 'native code', ''],
    [frame('writev'), 'native code', ''],
    [frame('(garbage collector)'), 'garbage collector', ''],
    [frame('connect', 'node:net', 1), 'Node', 'node:net:2'],
    [frame('recv', 'file:///x/packages/syscall/dist/libc.js', 54), 'system calls', 'syscall/libc.js:55'],
    [frame('turn', 'file:///x/packages/syscall/dist/loop.js', 3), 'syscall', 'syscall/loop.js:4'],
    [frame('send', 'file:///x/packages/command/dist/udp/ways.js', 0), 'command', 'command/udp/ways.js:1'],
    [
      frame('pipe', 'file:///x/node_modules/.pnpm/it-pipe@3/node_modules/it-pipe/dist/src/index.js', 0),
      'it-pipe',
      'it-pipe/src/index.js:1'
    ],
    [frame('x', 'file:///x/node_modules/@a/b/c.js', 0), '@a/b', '@a/b/c.js:1'],
    [frame('', 'file:///x/bench/dist/servers/it-socks.js', 0), 'the script', 'it-socks.js:1']
  ])('of %j is %s', (callFrame, owner, place) => {
    expect(ownerOf(callFrame)).toBe(owner)
    expect(placeOf(callFrame)).toBe(place)
  })
})

describe('the tree of calls', () => {
  const tree = callTree(profile)

  it('has who called whom and for how long, the longest first, without waits and what took no time', () => {
    expect(tree).toMatchObject({
      name: 'all',
      total: 210,
      self: 0,
      children: [
        {
          name: 'turn',
          total: 100,
          self: 10,
          children: [
            { name: 'recv', owner: 'system calls', self: 70, total: 70 },
            { name: 'node:net:10', owner: 'Node', self: 20 }
          ]
        },
        { name: 'native code', total: 60 },
        { name: 'garbage collector', total: 50 }
      ]
    })
    expect(tree.children).toHaveLength(3)
    expect(tree.children[0]?.children).toHaveLength(2)
  })

  it('gives each owner its share of the time', () => {
    expect(shares(tree)).toEqual([
      { owner: 'system calls', part: 70 / 210 },
      { owner: 'native code', part: 60 / 210 },
      { owner: 'garbage collector', part: 50 / 210 },
      { owner: 'Node', part: 20 / 210 },
      { owner: 'stage', part: 10 / 210 }
    ])
  })

  it('is empty, not broken, where nothing was seen', () => {
    expect(callTree({ nodes: [], startTime: 0, samples: [], timeDeltas: [] })).toMatchObject({ total: 0, children: [] })
    expect(callTree(profile, { from: 5000, to: 6000 })).toMatchObject({ total: 0, children: [] })
  })
})

describe('a flame graph', () => {
  const svg = drawFlame(callTree(profile), 'epoll <churn>')

  const none = { name: '', x: NaN, y: NaN, width: NaN }

  it('has a box for each, as wide as its time, above who called it', () => {
    const boxes = [
      ...svg.matchAll(/<g><title>(?<name>.*)[^]*?<rect x="(?<x>.*?)" y="(?<y>.*?)" width="(?<width>.*?)"/g)
    ]
    const [all = none, turn = none, recv] = boxes.map(({ groups }) => ({
      name: groups!['name'] ?? '',
      x: Number(groups!['x']),
      y: Number(groups!['y']),
      width: Number(groups!['width'])
    }))
    expect(boxes).toHaveLength(6)
    expect(all).toMatchObject({ name: 'all', x: 0, width: 999.5 })
    expect(turn).toMatchObject({ name: 'turn (stage/course.js:81)', x: 0, y: all.y - 17 })
    expect(turn.width).toBeCloseTo(1000 * (100 / 210) - 0.5, 0)
    expect(recv).toMatchObject({ name: 'recv (syscall/libc.js:55)', y: all.y - 34 })
  })

  it('says on hover what part of the time it is, and names owners with theirs', () => {
    expect(svg).toContain('47.6%, itself 4.8%')
    expect(svg).toContain('>system calls 33.3%<')
  })

  it('leaves out what is too narrow to be seen', () => {
    const { samples, timeDeltas } = profile
    const long = { ...profile, samples: [...samples, 8, 2], timeDeltas: [...timeDeltas, 10, 1e6] }
    expect(drawFlame(callTree(long), '')).not.toContain('recv')
  })

  it('knows light and dark, and escapes what it is told', () => {
    expect(svg).toContain('prefers-color-scheme: dark')
    expect(svg).toContain('epoll &#60;churn&#62;')
    expect(svg).not.toContain('<churn>')
  })

  it('is empty, not broken, without calls', () => {
    expect(drawFlame(callTree({ ...profile, samples: [], timeDeltas: [] }), 'nothing')).toMatch(/^<svg [^]*<\/svg>\n$/)
  })
})
