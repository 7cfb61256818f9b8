// A port of this machine's loopback that leads to a port of the loopback in another network namespace: the two processes
// meet at a socket in the file system, which both of them see.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { ClusterFixture } from './cluster-fixture.ts'
import { eventually } from './eventually.ts'
import { existsSync } from 'node:fs'

const relay = `
  const { connect, createServer } = require('node:net')
  const [socket, port] = process.argv.slice(1)
  createServer(near => {
    const far = connect(Number(port), '127.0.0.1')
    near.on('error', () => far.destroy()).on('close', () => far.destroy())
    far.on('error', () => near.destroy()).on('close', () => near.destroySoon())
    near.pipe(far).pipe(near)
  }).listen(socket)`

export interface WayIntoNamespace {
  /** Here. */
  readonly port: number
  close(): void
}

/** Open until it is closed. */
export async function wayIntoNamespace(cluster: ClusterFixture, port: number): Promise<WayIntoNamespace> {
  const path = join(cluster.directory, `way-${port}`)
  const child = cluster.spawn(process.execPath, ['-e', relay, path, String(port)])
  await eventually('the other side of the way is there', () => existsSync(path))
  const server = createServer(near => {
    const far = connect(path)
    near.on('error', () => far.destroy()).on('close', () => far.destroy())
    far.on('error', () => near.destroy()).on('close', () => near.destroySoon())
    near.pipe(far).pipe(near)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close()
      child.kill()
    },
  }
}
