import { portable, type Engine } from '@it-socks/net'
import { UsageError } from '../failure.ts'

/** `auto` is the fastest that this machine has. */
export type EngineName = 'auto' | 'portable' | 'splice' | 'epoll'
export const engineNames: readonly EngineName[] = ['auto', 'portable', 'splice', 'epoll']

// Those for Linux are optional packages: they may not be installed, or have nothing for this processor.
const engines: Readonly<Record<Exclude<EngineName, 'auto'>, () => Promise<Engine>>> = {
  portable: async () => portable,
  splice: async () => (await import('@it-socks/splice')).splice(),
  epoll: async () => (await import('@it-socks/epoll')).epoll()
}

/** @throws {UsageError} for an engine that this machine cannot run */
export const chooseEngine = async (name: EngineName): Promise<Engine> => {
  if (name === 'auto') return engines.epoll().catch(engines.portable)
  try {
    return await engines[name]()
  } catch (cause) {
    const [reason] = (cause as Error).message.split('\n', 1)
    throw new UsageError(`--engine ${name} cannot be had here: ${reason}`, { cause })
  }
}
