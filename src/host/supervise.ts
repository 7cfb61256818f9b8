// Watches a process that may be nobody's child: its end closes a connection to one of its sockets.
import { connect, type Socket } from 'node:net'

const reconnectMs = 500

export interface Supervised {
  /** Of a socket on which the process says nothing by itself. */
  readonly socket: string
  readonly isAlive: () => boolean
  /** @returns false when it ran after all */
  readonly launch: () => Promise<boolean | void>
  /** @param error it does not start again */
  readonly restarted: (error?: Error) => void
}

/** Starts it again whenever it has ended. @returns how to stop watching */
export function supervise({ socket, isAlive, launch, restarted }: Supervised): () => void {
  let stopped = false
  let connection: Socket | undefined
  let again: NodeJS.Timeout | undefined
  const watch = (): void => {
    connection = connect(socket).unref()
    connection.on('error', () => {}) // Followed by `close`.
    connection.on('close', () => {
      if (!stopped) void lost()
    })
  }
  const lost = async (): Promise<void> => {
    if (!isAlive())
      try {
        if ((await launch()) !== false) restarted()
      } catch (error) {
        restarted(error as Error)
      }
    if (!stopped) again = setTimeout(watch, reconnectMs).unref()
  }
  watch()
  return () => {
    stopped = true
    clearTimeout(again)
    connection?.destroy()
  }
}
