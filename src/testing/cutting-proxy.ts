// A way to a server that breaks after so many pieces of what a client sends, and stays broken: to the server it looks
// as if the client had been killed.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface CuttingProxy {
  readonly host: string
  readonly port: number
  /** Sent by clients so far. */
  readonly pieces: number
  close(): void
}

/** @param reachesServer whether the last piece does, whose answer nobody gets */
export async function startCuttingProxy(
  target: { readonly host: string; readonly port: number },
  pieces: number,
  reachesServer: boolean,
): Promise<CuttingProxy> {
  let sent = 0
  const sockets = new Set<Socket>()
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    return socket
  }
  const listener = createServer(client => {
    keep(client)
    if (sent > pieces) return void client.destroy()
    const server = keep(connect(target))
    server.on('data', chunk => client.writable && client.write(chunk))
    client.on('data', chunk => {
      sent++
      if (sent <= pieces) return void server.write(chunk)
      if (sent === pieces + 1 && reachesServer) {
        // The server's answer tells that it has read it.
        server.removeAllListeners('data').once('data', cut)
        server.write(chunk)
      } else cut()
    })
    server.on('close', () => client.destroy())
    client.on('close', () => sent <= pieces && server.end())
  }).listen(0, '127.0.0.1')
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  await once(listener, 'listening')
  return {
    host: '127.0.0.1',
    port: (listener.address() as AddressInfo).port,
    get pieces() {
      return sent
    },
    close() {
      cut()
      listener.close()
    },
  }
}
