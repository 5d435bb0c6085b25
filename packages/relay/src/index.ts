export * from './join.ts'
export * from './relay.ts'
export * from './tap.ts'
export * from './throttle.ts'
