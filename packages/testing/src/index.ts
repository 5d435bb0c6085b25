export * from './chunking.ts'
export * from './duplex-pair.ts'
export * from './hex.ts'
export * from './script.ts'
