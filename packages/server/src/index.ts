export { describeEndpoint, type ServerOptions } from './options.ts'
export * from './server.ts'
export * from './session.ts'
