export * from './connect.ts'
export { parseProxy, type Proxy } from './proxy.ts'
