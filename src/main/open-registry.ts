// The registry of a cluster, with what it needs to know of it: which images are in use, who may come in from elsewhere,
// and where the machine keeps images of other registries.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '../client/client.ts'
import { startPullThrough, type PullThrough } from '../images/registry/cache/pull-through.ts'
import { localRegistry } from '../images/client/place.ts'
import { HttpUpstream } from '../images/registry/cache/http-upstream.ts'
import { startRegistry, type Registry, type RegistryOptions, type SecureListener } from '../images/registry/registry.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { ClusterKeys } from './cluster-keys.ts'
import { SetupError, type ClusterPlaces } from './data-directory.ts'
import { imagesInUse } from './images-in-use.ts'
import { registryAccess } from './registry-access.ts'
import type { RegistryEndpoint } from './registry-endpoint.ts'

export interface OpenRegistryOptions {
  readonly places: ClusterPlaces
  /** Where others reach it. */
  readonly endpoint: RegistryEndpoint | undefined
  readonly keys: ClusterKeys
  /** May see everything in the cluster. */
  readonly client: Client
  readonly clock: Clock
  readonly logger: Logger
}

export interface ClusterRegistry {
  /** `127.0.0.1:PORT` */
  readonly address: string
  /** `ADDRESS:PORT` where others reach it. */
  readonly secureAddress?: string
  /** Under which names its images can be asked for, each with its address. */
  readonly names: Readonly<Record<string, string>>
  /** Whether it has images of other registries, too. */
  readonly hasCache: boolean
  renewServing(keys: ClusterKeys): void
  close(): Promise<void>
}

export async function openRegistry(options: OpenRegistryOptions): Promise<ClusterRegistry> {
  const { places, endpoint, keys, client, clock, logger } = options
  const upstream = new HttpUpstream(clock)
  const cache = await openCache(options, upstream)
  let names: Readonly<Record<string, string>> = { [localRegistry]: '' }
  const registry = await listenAsBefore(places, {
    directory: places.registry,
    host: '127.0.0.1',
    inUse: () => imagesInUse(client),
    ...(cache && {
      foreign: (name, exchange) => (Object.hasOwn(names, name) ? undefined : cache.serve(name, exchange)),
    }),
    clock,
    logger,
  })
  const address = `127.0.0.1:${registry.port}`
  names = { [localRegistry]: address, [address]: address, [`localhost:${registry.port}`]: address }
  const secure = endpoint && (await listenSecurely(registry, endpoint, keys, client))
  return {
    address,
    ...(secure && { secureAddress: `${endpoint!.host}:${secure.port}` }),
    names,
    hasCache: cache !== undefined,
    renewServing: renewed => secure?.renewServing(renewed.registry!),
    close: async () => {
      await Promise.all([registry.close(), cache?.stop()])
      upstream.close()
    },
  }
}

/** Without it images of other registries are fetched from there by each cluster. */
async function openCache(
  { places, clock, logger }: OpenRegistryOptions,
  upstream: HttpUpstream,
): Promise<PullThrough | undefined> {
  try {
    return await startPullThrough({ directory: places.imageCache, upstream, clock, logger })
  } catch (error) {
    logger.warn('images of other registries are not kept', { error: (error as Error).message })
    return undefined
  }
}

/** The same port every time when possible, since people push to it by number. */
async function listenAsBefore(places: ClusterPlaces, options: Omit<RegistryOptions, 'port'>): Promise<Registry> {
  const file = join(places.data, 'registry-port')
  const remembered = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
  const registry = await startRegistry({ ...options, port: remembered }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error
    return startRegistry({ ...options, port: 0 })
  })
  writeFileSync(file, String(registry.port), { mode: 0o600 })
  return registry
}

/** @throws SetupError */
async function listenSecurely(
  registry: Registry,
  { host, port }: RegistryEndpoint,
  keys: ClusterKeys,
  client: Client,
): Promise<SecureListener> {
  const place = { host, port, serving: keys.registry!, access: registryAccess(client) }
  return registry.listen(place).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRNOTAVAIL')
      throw new SetupError(`this machine has no address ${host}; name one that it has with --registry-listen`)
    if (error.code === 'EADDRINUSE')
      throw new SetupError(
        `port ${port} is in use by another program; choose another one with --registry-listen ${host}:PORT`,
      )
    throw error
  })
}
