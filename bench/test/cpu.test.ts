import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'

const times = (running: Record<number, number>, ended = 0): { running: Map<number, number>; ended: number } => ({
  running: new Map(Object.entries(running).map(([pid, seconds]) => [Number(pid), seconds])),
  ended
})

describe.skipIf(process.platform !== 'linux')('CPU time', async () => {
  const { cpuBetween, cpuTimes } = await import('../src/process/cpu.ts')
  const { memoryOf } = await import('../src/process/memory.ts')

  it('is what those use that run, from their start for new ones', () => {
    expect(cpuBetween(times({ 1: 5, 2: 1 }), times({ 1: 6, 2: 3, 3: 4 }))).toBe(7)
  })

  it('of one that has ended is what its parent was told, less what it had used before', () => {
    expect(cpuBetween(times({ 1: 5, 2: 3 }, 10), times({ 1: 5 }, 14))).toBe(1)
  })

  it('of one that has ended is nothing where nobody was told', () => {
    expect(cpuBetween(times({ 1: 5, 2: 3 }), times({ 1: 6 }))).toBe(1)
  })

  it('and memory count the children, too', async () => {
    const work = 'const end = process.cpuUsage().user + 2e5; while (process.cpuUsage().user < end); console.log("done")'
    const parent = spawn('sh', ['-c', '"$0" -e "$1; process.stdin.resume()"; true', process.execPath, work])
    const { pid = 0 } = parent
    const exited = once(parent, 'exit')
    await once(parent.stdout, 'data')
    const { running } = cpuTimes(pid)
    expect(running.size).toBe(2)
    expect([...running.values()].reduce((sum, seconds) => sum + seconds)).toBeGreaterThan(0.2)
    expect(memoryOf(pid)).toBeGreaterThan(10e6)
    parent.stdin.end()
    await exited
  })
})
