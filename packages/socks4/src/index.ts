export * from './accepted4.ts'
export * from './ask4.ts'
export * from './socks4.ts'
