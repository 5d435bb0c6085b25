import { handleStack } from './handle/stack.ts'
import { socketStack } from './socket/stack.ts'
import type { Stack } from './stack.ts'

/** The best that this Node has. */
export const defaultStack: Stack = handleStack ?? socketStack
