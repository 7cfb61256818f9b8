// A port of this machine that leads to a port of a service for as long as somebody works on it, whatever instance there
// is: a way to an instance is looked for when somebody connects, and again when it has gone.
import { connect, createServer, type Socket } from 'node:net'
import type { Engine, Way } from '../delivery/engine/engine.ts'
import type { Place } from '../delivery/engine/parts.ts'

export interface LastingWay {
  readonly port: number
  close(): void
}

/** The same port as that of the service where it is free, else any. */
export async function lastingWay(
  engine: Pick<Engine, 'reach'>,
  place: Place,
  target: { readonly workload: string; readonly port: number },
): Promise<LastingWay> {
  let way: Promise<Way> | undefined
  const sockets = new Set<Socket>()
  const reached = (): Promise<Way> => (way ??= engine.reach(place, target))
  const forget = async (gone: Promise<Way>): Promise<void> => {
    if (way === gone) way = undefined
    await gone.then(found => found.close()).catch(() => {})
  }
  const pass = async (incoming: Socket): Promise<void> => {
    for (const isLast of [false, true]) {
      const using = reached()
      try {
        const { host, port } = await using
        const outgoing = await connected(host, port)
        incoming.on('close', () => outgoing.destroy())
        outgoing.on('close', () => incoming.destroy())
        outgoing.on('error', () => incoming.destroy())
        incoming.pipe(outgoing).pipe(incoming)
        return
      } catch {
        await forget(using)
        if (isLast) incoming.destroy()
      }
    }
  }
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    void pass(socket)
  })
  const listen = (port: number): Promise<number> =>
    new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject)
        resolve((server.address() as { port: number }).port)
      })
    })
  const port = await listen(target.port).catch(() => listen(0))
  return {
    port,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
      if (way !== undefined) void forget(way)
    },
  }
}

const connected = (host: string, port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port }, () => {
      socket.off('error', reject)
      resolve(socket)
    })
    socket.once('error', reject)
  })
