// Ports of 127.0.0.1 that nobody listens on.
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

export async function freePorts(count: number): Promise<number[]> {
  const listeners = await Promise.all(
    Array.from({ length: count }, async () => {
      const listener = createServer().listen(0, '127.0.0.1')
      await once(listener, 'listening')
      return listener
    }),
  )
  const ports = listeners.map(listener => (listener.address() as AddressInfo).port)
  for (const listener of listeners) listener.close()
  return ports
}
