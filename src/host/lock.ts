// A lock that one process of the machine holds and that the kernel takes back when it ends, however it
// ends: a name among the abstract sockets, which leave no file behind.
import { createServer } from 'node:net'

/** Held until the process ends. False: another process holds it. */
export function holdLock(name: string): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  const server = createServer(socket => socket.destroy())
  server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error)))
  server.listen(`\0${name}`, () => {
    server.unref()
    resolve(true)
  })
  return promise
}
