import type { Socket } from 'node:net'

/** What a socket has of libuv may be another on other systems, and in other releases of Node. */
const without = (socket: Socket, ...names: readonly string[]): void => {
  const { _handle: handle } = socket as unknown as { _handle: object }
  for (const name of names) Object.defineProperty(handle, name, { value: undefined })
}

/** Each way in which a socket's bytes may be read and written: with all that Node has, or with less of it. */
export const ways: ReadonlyArray<readonly [name: string, prepare: (socket: Socket) => void]> = [
  ['with a shared buffer', () => {}],
  ['without a descriptor, as on Windows', (socket) => without(socket, 'fd')],
  ['without a buffer to share', (socket) => without(socket, 'useUserBuffer')],
  ['with neither', (socket) => without(socket, 'fd', 'useUserBuffer')]
]
