/** What the load process is asked to do: one round of a workload against one proxy. */
export interface Task {
  /** The port that the proxy listens at. */
  readonly proxy: number
  /** The process at the root of the proxy's. */
  readonly pid: number
  readonly workload: string
  /** How much, in the workload's own unit: 1 is a round of usual length. */
  readonly scale: number
}

/** What came of it: numbers by name, each of which gets its median and spread. */
export type Sample = Readonly<Record<string, number>>

/** What is measured in a sample. */
export interface Metric {
  readonly name: string
  readonly unit: string
  /** Which way is better. */
  readonly better: 'less' | 'more'
}

/** Something to do through a proxy. */
export interface Workload {
  readonly name: string
  /** Several go by this name together. */
  readonly group?: string
  /** Takes long, and is measured only when it is asked for. */
  readonly onRequest?: boolean
  /** In a few words. */
  readonly title: string
  readonly metrics: readonly Metric[]
  /** The metric by which proxies are held against each other. Default: they are not. */
  readonly compared?: string
  /** Wants a proxy that has served nobody yet, every time; and as starting many takes its time, in so many rounds at most. */
  readonly fresh?: number
  /** Wants a proxy that has UDP ASSOCIATE. */
  readonly udp?: boolean
  /** How many times as long the round is that warms up: until what is compiled while it runs has been. Default: 1. */
  readonly warmUp?: number
  /** How many descriptors the proxy may have. Default: as many as everybody. */
  readonly descriptors?: number
  /** Runs in the load process, and blocks it. What it could not measure it notes. */
  run(task: Task, note: (text: string) => void): Sample
}
