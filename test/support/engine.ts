import { portable, sockets, type Engine } from '@it-socks/net'

const engines: Readonly<Record<string, () => Promise<Engine>>> = {
  portable: async () => portable,
  sockets: async () => sockets,
  splice: async () => (await import('@it-socks/splice')).splice(),
  epoll: async () => (await import('@it-socks/epoll')).epoll()
}

/** What tests are to serve with; CI runs those that serve with each engine in turn. */
export const engineName: string | undefined = process.env['IT_SOCKS_TEST_ENGINE']

const load = async (name: string): Promise<Engine> => {
  const engine = engines[name]
  if (engine === undefined) throw new Error(`IT_SOCKS_TEST_ENGINE is one of ${Object.keys(engines).join(', ')}`)
  return engine()
}

/** The engine of that name. Default: the portable one. */
export const engine: Engine = await load(engineName ?? 'portable')
