export type { ServerOptions } from './options.ts'
export * from './server.ts'
export * from './session.ts'
export type { Sessions } from './sessions.ts'
export { describeEndpoint } from './settings.ts'
export {
  serveInThreads,
  type Thread,
  type ThreadModule,
  type Threads,
  type ThreadsOptions
} from './threads/serve-in-threads.ts'
export { limitYoungGeneration } from './young-generation.ts'
