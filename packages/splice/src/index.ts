export { relayDescriptors, type End, type Relayed } from './relay-descriptors.ts'
export { relayedEvents } from './relay.ts'
export { splice } from './splice.ts'
