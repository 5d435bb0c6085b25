import { Socket } from 'node:net'
import { hasEnded, stopReading } from '../handle.ts'
import type { Detached } from '../socket-transport.ts'
import type { State } from './state.ts'

/** What a connection has for a socket when another has its own: it does nothing, and costs nothing. */
const nobody = new Socket().destroy()

/** Takes the socket away, which nobody listens to any more; `abort` is who ends the connection from here on. */
export const detach = (connection: State, abort: (reason: unknown) => void): Detached => {
  const { socket } = connection
  const ahead = connection.ahead ?? []
  connection.socket = nobody
  connection.ahead = undefined
  connection.whenBroken = undefined
  connection.elsewhere = abort
  socket.pause()
  if (socket.readableLength > 0) ahead.push(socket.read())
  const left = { ahead, ended: hasEnded(socket) }
  stopReading(socket)
  return left
}
