export type { ServerOptions } from './options.ts'
export * from './server.ts'
export * from './session.ts'
export { describeEndpoint } from './settings.ts'
