import { parseArgs } from 'node:util'

export const usage = `pnpm bench [options]

  --rounds N        how often each is measured, after a round to warm up   (5)
  --scale X         how long a round is: 0.1 for a tenth                   (1)
  --only a,b        these workloads alone
  --servers a,b     these proxies alone
  --out FILE        where to save the results, and a plot of them beside it     (bench/results/latest.json)
  --flame SERVER    measures nothing, and draws where a server of Node's spends its CPU time: on churn, or what --only names
                    (to --out, or bench/results/flame-SERVER.svg)
  --plot FILE       measures nothing, and draws and prints results that were saved
  --markdown a,b    prints what was saved, in one file or in several, as tables for a page
  --into PAGE       puts them into that page instead, where it has marks for them
  --list            says what there is to measure, and what is missing
  --help            says this

IT_SOCKS_BENCH_HEV and IT_SOCKS_BENCH_3PROXY name the programs hev-socks5-server and 3proxy, where they are not on the PATH.
`

export interface Options {
  readonly rounds: number
  readonly scale: number
  readonly only: readonly string[] | undefined
  readonly servers: readonly string[] | undefined
  readonly out: string | undefined
  readonly flame: string | undefined
  readonly plot: string | undefined
  readonly markdown: readonly string[] | undefined
  readonly into: string | undefined
  readonly list: boolean
  readonly help: boolean
}

const positive = (name: string, value: string): number => {
  const number = Number(value)
  if (!(number > 0)) throw new Error(`--${name} wants a number above 0, not ${value}`)
  return number
}

/** Reads the command line. @throws {Error} for what it does not know */
export const readOptions = (args: string[]): Options => {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '5' },
      scale: { type: 'string', default: '1' },
      only: { type: 'string' },
      servers: { type: 'string' },
      out: { type: 'string' },
      flame: { type: 'string' },
      plot: { type: 'string' },
      markdown: { type: 'string' },
      into: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false }
    }
  })
  return {
    rounds: Math.ceil(positive('rounds', values.rounds)),
    scale: positive('scale', values.scale),
    only: values.only?.split(','),
    servers: values.servers?.split(','),
    out: values.out,
    flame: values.flame,
    plot: values.plot,
    markdown: values.markdown?.split(','),
    into: values.into,
    list: values.list,
    help: values.help
  }
}

interface Named {
  readonly name: string
  readonly group?: string
  readonly onRequest?: boolean
}

/**
 * Those of a list that were asked for by their names or their groups', in the list's order; without names, those that need
 * not be asked for. @throws {Error} for a name that is not there
 */
export const chosen = <Item extends Named>(items: readonly Item[], names: readonly string[] | undefined): Item[] => {
  if (names === undefined) return items.filter(({ onRequest }) => onRequest !== true)
  const answers = ({ name, group }: Item, to: string): boolean => name === to || group === to
  const unknown = names.find((name) => !items.some((item) => answers(item, name)))
  if (unknown !== undefined) {
    throw new Error(`there is no ${unknown}; there are ${items.map(({ name }) => name).join(', ')}`)
  }
  return items.filter((item) => names.some((name) => answers(item, name)))
}
