import { connect, type Socket, type TcpNetConnectOpts } from 'node:net'
import { onAbort } from '@it-socks/stage'

/** Connects one socket; rejects with the system's error, or with the signal's reason and no socket. */
export const openSocket = (options: TcpNetConnectOpts, signal: AbortSignal): Promise<Socket> =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const socket = connect(options)
    const release = onAbort(signal, () => {
      socket.destroy()
      reject(signal.reason)
    })
    const failed = (error: Error): void => {
      release()
      reject(error)
    }
    socket.once('error', failed).once('connect', () => {
      socket.off('error', failed)
      release()
      resolve(socket)
    })
  })
