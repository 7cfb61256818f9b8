// Which API servers of a cluster live: each renews a Lease `apiserver-HASH` in kube-system, as Kubernetes
// names them, that also says where it listens. A server that stops deletes its lease; one that is just gone
// is missed when its lease ends, by the clock of whoever watches. Source: pkg/controlplane/apiserver/server.go.
import { createHash } from 'node:crypto'
import { isNotFound } from '../api/api-error.ts'
import type { Lease } from '../api/generated/models.ts'
import type { New } from '../api/object.ts'
import { leases } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import type { Running } from '../control/controller.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import { formatMicroTime } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'

export interface LiveServer {
  readonly nodeName: string
  /** Where the pods of its node reach it. */
  readonly address: string
  readonly port: number
  /** Where other servers reach it, when that is somewhere else. */
  readonly advertisedAddress?: string
}

export interface LiveServersOptions {
  readonly client: Client
  readonly clock: Clock
  readonly logger: Logger
  readonly self: LiveServer
  /** Sets this process apart from the one before it. */
  readonly uuid: string
  /** Told all that live, this one among them, at first and after each change; called again when it failed. */
  readonly publish: (servers: readonly LiveServer[]) => Promise<void>
}

const namespace = 'kube-system'
const durationSeconds = 15
const renewMs = 5_000
const identityLabel = 'apiserver.kubernetes.io/identity'
const addressAnnotation = 'sampan.dev/api-address'
const advertisedAnnotation = 'sampan.dev/advertise-address'

const leaseName = (nodeName: string): string =>
  `apiserver-${createHash('sha256').update(nodeName).digest('hex').slice(0, 26)}`

/** The key of the lease that a server renews. */
export const leaseOfServer = (nodeName: string): string => `${namespace}/${leaseName(nodeName)}`

/** Resolves when the first list is published. */
export async function keepLiveServers(options: LiveServersOptions): Promise<Running> {
  const { client, clock, logger, self, publish } = options
  const name = leaseName(self.nodeName)
  const informer = client.informer(leases)
  const seen = new Map<string, { readonly version: string; readonly atMs: number }>()
  let published = ''
  let timer: Timer | undefined
  let working: Promise<void> | undefined
  let stopped = false

  async function renew(): Promise<void> {
    const spec = {
      holderIdentity: `${name}_${options.uuid}`,
      leaseDurationSeconds: durationSeconds,
      renewTime: formatMicroTime(clock.now()),
    }
    const { labels, annotations } = leaseMetadata(self)
    // An earlier start may have had another address to name.
    const metadata = { labels, annotations: { [advertisedAnnotation]: null, ...annotations } }
    await client
      .patch(leases, { namespace, name }, { type: 'merge', value: { spec, metadata } })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error
        return client.create(leases, { metadata: { namespace, name, ...leaseMetadata(self) }, spec } as New<Lease>)
      })
  }

  function isAlive({ metadata, spec }: Lease): boolean {
    const version = metadata.resourceVersion
    if (seen.get(metadata.name)?.version !== version) seen.set(metadata.name, { version, atMs: clock.now() })
    return (
      metadata.name === name || seen.get(metadata.name)!.atMs + (spec.leaseDurationSeconds ?? 0) * 1000 > clock.now()
    )
  }

  async function refresh(): Promise<void> {
    const all = informer.list(namespace).filter(({ metadata }) => metadata.labels?.[identityLabel] !== undefined)
    const gone = all.filter(lease => !isAlive(lease))
    const servers = all
      .filter(lease => !gone.includes(lease))
      .flatMap(serverOf)
      .toSorted((left, right) => (left.address < right.address ? -1 : 1))
    const text = JSON.stringify(servers)
    if (text !== published) await publish(servers)
    published = text
    for (const { metadata } of gone) {
      logger.warn('an API server is gone', { lease: metadata.name })
      await client.delete(leases, metadata, { preconditions: { resourceVersion: metadata.resourceVersion } })
    }
  }

  /** One run at a time, and another one when something changed meanwhile. */
  let again = false
  function refreshSoon(): void {
    again = true
    working ??= (async () => {
      while (again && !stopped) {
        again = false
        await refresh().catch((error: unknown) =>
          logger.warn('the list of API servers could not be published; tried again soon', { error: String(error) }),
        )
      }
    })().finally(() => {
      working = undefined
    })
  }

  function tick(): void {
    timer = clock.after(renewMs, () => {
      renew()
        .catch((error: unknown) =>
          logger.warn('the lease of this API server could not be renewed', { error: String(error) }),
        )
        .finally(() => {
          if (stopped) return
          refreshSoon()
          tick()
        })
    })
  }

  await renew()
  await refresh()
  const unsubscribe = informer.subscribe(({ type, object, old }) => {
    // Renewals come all the time.
    if (
      object.metadata.labels?.[identityLabel] !== undefined &&
      (type !== 'MODIFIED' || JSON.stringify(serverOf(object)) !== JSON.stringify(serverOf(old)))
    )
      refreshSoon()
  })
  tick()
  return {
    async stop() {
      stopped = true
      unsubscribe()
      timer?.cancel()
      await working
      await client
        .delete(leases, { namespace, name })
        .catch((error: unknown) =>
          logger.debug('the lease of this API server stays until it ends', { error: String(error) }),
        )
    },
  }
}

const leaseMetadata = ({
  nodeName,
  address,
  port,
  advertisedAddress,
}: LiveServer): { labels: Record<string, string>; annotations: Record<string, string> } => ({
  labels: { [identityLabel]: 'kube-apiserver', 'kubernetes.io/hostname': nodeName },
  annotations: {
    [addressAnnotation]: `${address}:${port}`,
    ...(advertisedAddress !== undefined && { [advertisedAnnotation]: advertisedAddress }),
  },
})

function serverOf({ metadata }: Lease): LiveServer[] {
  const [address, port] = metadata.annotations?.[addressAnnotation]?.split(':') ?? []
  if (address === undefined || port === undefined) return []
  const advertisedAddress = metadata.annotations?.[advertisedAnnotation]
  return [
    {
      nodeName: metadata.labels?.['kubernetes.io/hostname'] ?? '',
      address,
      port: Number(port),
      ...(advertisedAddress !== undefined && { advertisedAddress }),
    },
  ]
}
