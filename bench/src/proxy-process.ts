import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

/** A proxy in a process of its own. */
export interface ProxyProcess {
  readonly name: string
  readonly port: number
  /** CPU time used so far, user and system, in seconds. */
  cpu(): number
  /** Resident memory, in bytes. */
  memory(): number
  stop(): Promise<void>
}

const ticksPerSecond = 100
const pageSize = 4096

/** Starts `servers/<name>.js` and waits until it listens. */
export const startProxy = async (name: string): Promise<ProxyProcess> => {
  const child = fork(new URL(`servers/${name}.js`, import.meta.url))
  const exited = once(child, 'exit')
  const [message] = (await once(child, 'message')) as [{ port: number }]
  const proc = (file: string): string => readFileSync(`/proc/${child.pid}/${file}`, 'utf8')
  return {
    name,
    port: message.port,
    cpu() {
      // Fields 14 and 15, counted behind the command's name, which may hold anything (proc(5)).
      const fields = proc('stat').split(') ')[1]!.split(' ')
      return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
    },
    memory: () => Number(proc('statm').split(' ')[1]) * pageSize,
    async stop() {
      child.kill()
      await exited
    }
  }
}
