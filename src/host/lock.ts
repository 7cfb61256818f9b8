// A lock that one process of the machine holds and that the kernel takes back when it ends, however it
// ends: a name among the abstract sockets, which leave no file behind.
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Lock {
  release(): void
}

/** Held until it is released or the process ends. undefined: another process holds it. */
export function holdLock(name: string): Promise<Lock | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Lock | undefined>()
  const server = createServer(socket => socket.destroy())
  server.once('error', (error: NodeJS.ErrnoException) =>
    error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
  )
  server.listen(`\0${name}`, () => {
    server.unref()
    resolve({ release: () => void server.close() })
  })
  return promise
}

/** Whether a process of this machine holds it, whoever's it is. */
export function isLocked(name: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(`\0${name}`)
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => socket.destroy())
  })
}

/** For work of a few milliseconds that must not happen twice at the same time. */
export async function whileLocked<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  for (;;) {
    const lock = await holdLock(name)
    if (lock === undefined) {
      await sleep(2)
      continue
    }
    try {
      return await work()
    } finally {
      lock.release()
    }
  }
}
