export * from './ask.ts'
export * from './command.ts'
export * from './connect.ts'
export * from './request.ts'
