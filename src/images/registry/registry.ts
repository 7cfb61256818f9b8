// The registry of this machine: the OCI distribution API over HTTP on loopback, and over HTTPS with passwords where it
// is to be reached from elsewhere. `sampan build` pushes to it, the node pulls from it, docker, buildah, skopeo and oras
// work with it. Source: OCI distribution specification 1.1.
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../../lib/clock.ts'
import { silentLogger, type Logger } from '../../lib/logger.ts'
import { machineClock } from '../../host/machine-clock.ts'
import { openAccess, type Access } from './access.ts'
import { startCollections } from './collection/collections.ts'
import { requestHandler, type Handler, type HandlerOptions } from './handler.ts'
import { openStore } from './registry-store.ts'

export interface RegistryOptions {
  readonly directory: string
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Digests of images that the cluster uses whatever their tags; nothing that they need is collected. */
  readonly inUse?: () => Promise<ReadonlySet<string>>
  /** See `HandlerOptions`. */
  readonly foreign?: HandlerOptions['foreign']
  readonly clock?: Clock
  readonly logger?: Logger
}

export interface Registry {
  readonly port: number
  /** Listens where others reach it too. */
  listen(options: SecureListenOptions): Promise<SecureListener>
  close(): Promise<void>
}

export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

export interface SecureListenOptions {
  readonly host: string
  readonly port: number
  readonly serving: KeyPair
  readonly access: Access
}

export interface SecureListener {
  readonly port: number
  renewServing(serving: KeyPair): void
}

export async function startRegistry({
  directory,
  host,
  port,
  inUse = () => Promise.resolve(new Set()),
  foreign,
  clock = machineClock,
  logger = silentLogger,
}: RegistryOptions): Promise<Registry> {
  const store = await openStore(directory, clock)
  const server = createServer()
  await listen(server, host, port)
  const collections = startCollections(store, inUse, logger)
  serve(server, requestHandler({ store, access: openAccess, collections, logger, ...(foreign && { foreign }) }))
  const servers: (Server | TlsServer)[] = [server]
  return {
    port: portOf(server),
    async listen({ access, serving, ...place }) {
      const secure = createTlsServer(pairOf(serving))
      serve(secure, requestHandler({ store, access, logger }))
      await listen(secure, place.host, place.port)
      servers.push(secure)
      return { port: portOf(secure), renewServing: renewed => secure.setSecureContext(pairOf(renewed)) }
    },
    close: async () => {
      await Promise.all([...servers.map(closed), collections.stop()])
    },
  }
}

const pairOf = ({ certificate, key }: KeyPair): { cert: string; key: string } => ({ cert: certificate, key })

function serve(server: Server | TlsServer, handler: Handler): void {
  // A layer takes as long as it takes.
  server.requestTimeout = 0
  server.on('request', (request, response) => void handler(request, response))
}

async function listen(server: Server | TlsServer, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
}

const portOf = (server: Server | TlsServer): number => (server.address() as AddressInfo).port

const closed = (server: Server | TlsServer): Promise<void> =>
  new Promise(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
