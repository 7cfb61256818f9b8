// TCP ports nobody listens on at the moment of asking.
import { createServer, type AddressInfo } from 'node:net'

export const freePort = (host = '127.0.0.1'): Promise<number> => listenedAt(0, host)

export async function isFreePort(port: number, host: string): Promise<boolean> {
  try {
    await listenedAt(port, host)
    return true
  } catch {
    return false
  }
}

function listenedAt(wanted: number, host: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const server = createServer()
  server.on('error', reject)
  server.listen(wanted, host, () => {
    const { port } = server.address() as AddressInfo
    server.close(() => resolve(port))
  })
  return promise
}
