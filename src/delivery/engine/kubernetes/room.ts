// The namespace in which services live: which ones there are, and how it goes when nothing is to be left of it.
import type { KubeObject } from '../../../api/object.ts'
import { deployments, namespaces, secrets, statefulSets } from '../../../api/resources.ts'
import type { Client } from '../../../client/client.ts'
import { findObject } from '../../../client/find-object.ts'
import { unlessNotFound } from '../../../control/removal.ts'
import type { Clock } from '../../../lib/clock.ts'
import { DeployError } from '../../deploy-error.ts'
import type { RoomEnd, Watch } from '../engine.ts'
import { label } from './labels.ts'
import { pause } from '../pause.ts'
import { ifPermitted, itemsIfPermitted } from './permitted.ts'
import { releaseLabel } from './secret-ledger.ts'

const manager = 'sampan'
const managed = `${label.managedBy}=${manager}`

/** By their releases, and by what may be left of a service without any. */
export async function servicesIn(client: Client, namespace: string): Promise<readonly string[]> {
  const [releases, ...owners] = await Promise.all([
    client.list(secrets, { namespace, labelSelector: releaseLabel }),
    itemsIfPermitted(client.list(deployments, { namespace, labelSelector: managed })),
    itemsIfPermitted(client.list(statefulSets, { namespace, labelSelector: managed })),
  ])
  const named = (objects: readonly KubeObject[], key: string): string[] =>
    objects.flatMap(({ metadata }) => metadata.labels?.[key] ?? [])
  return [...new Set([...named(releases.items, releaseLabel), ...named(owners.flat(), label.service)])].toSorted()
}

const againMs = 250

export async function removeNamespace(client: Client, clock: Clock, name: string, watch: Watch): Promise<RoomEnd> {
  const found = await ifPermitted(findObject(client, namespaces, { name }))
  if (found === undefined) return 'absent'
  if (found.metadata.labels?.[label.managedBy] !== manager) return 'stays'
  await unlessNotFound(client.delete(namespaces, { name }))
  const endMs = clock.now() + watch.timeLimitSeconds * 1000
  while ((await findObject(client, namespaces, { name }))?.metadata.uid === found.metadata.uid) {
    watch.signal.throwIfAborted()
    if (clock.now() > endMs)
      throw new DeployError(
        `the namespace ${name} is not gone after ${watch.timeLimitSeconds} seconds; what holds it up: kubectl get namespace ${name} -o yaml`,
      )
    watch.progress(`waiting until the namespace ${name} is gone`)
    await pause(clock, againMs, watch.signal)
  }
  return 'removed'
}
