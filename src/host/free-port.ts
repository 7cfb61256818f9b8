// Ports nobody listens on at the moment of asking.
import { createSocket } from 'node:dgram'
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

/** Of UDP. */
export function isFreePacketPort(port: number, host: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = createSocket('udp4')
  socket.on('error', () => socket.close(() => resolve(false)))
  socket.bind({ port, address: host, exclusive: true }, () => socket.close(() => resolve(true)))
  return promise
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
