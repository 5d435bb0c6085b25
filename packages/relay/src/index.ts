export { join, type JoinOptions, type JoinTransports, type Traffic, type Transform } from './join.ts'
export * from './relay.ts'
export * from './tap.ts'
export * from './throttle.ts'
