// What of a delivery this cluster cannot do, or this user may not: found out by asking, before anything is changed.
import { text } from 'node:stream/consumers'
import type { IngressClass, StorageClass } from '../../../api/generated/models.ts'
import { ingressClasses, storageClasses } from '../../../api/resources.ts'
import type { Client } from '../../../client/client.ts'
import type { InFlight } from '../../../lib/in-flight.ts'
import type { Inability } from '../engine.ts'
import type { Part, Place } from '../parts.ts'
import { foreignObjects } from './foreign-objects.ts'
import { ifPermitted } from './permitted.ts'
import type { LogClient } from './pod-log.ts'
import { missingRights, rightsFor, rightText } from './rights.ts'

/** Since then it can wait before it stops an instance without a program for that in the image. */
const oldestMinor = 30
const defaultStorage = 'storageclass.kubernetes.io/is-default-class'

export async function inabilities(
  client: Client & LogClient,
  inFlight: InFlight,
  place: Place,
  parts: readonly Part[],
): Promise<readonly Inability[]> {
  const found = await Promise.all([
    rights(client, inFlight, place.namespace, parts),
    foreignObjects(client, place, parts),
    inFlight.ask('version', () => age(client)),
    parts.some(({ kind }) => kind === 'route') ? inFlight.ask('ingress classes', () => routes(client)) : [],
    parts.some(part => part.kind === 'workload' && part.storage !== undefined)
      ? inFlight.ask('storage classes', () => storage(client))
      : [],
  ])
  return found.flat()
}

async function rights(
  client: Client,
  inFlight: InFlight,
  namespace: string,
  parts: readonly Part[],
): Promise<Inability[]> {
  const missing = await missingRights(client, inFlight, namespace, rightsFor(parts))
  return missing.map(right => ({
    hard: true,
    reason: `you may not ${rightText(right)} in the namespace ${namespace}; ask whoever runs the cluster for that right`,
  }))
}

async function age(client: LogClient): Promise<Inability[]> {
  const answer = await ifPermitted(client.raw('/version').then(text))
  const { major, minor, gitVersion } = JSON.parse(answer ?? '{}') as Partial<Record<string, string>>
  if (major !== '1' || Number.parseInt(minor ?? '', 10) >= oldestMinor) return []
  return [
    { hard: true, reason: `the cluster is Kubernetes ${gitVersion}; expected 1.${oldestMinor} or newer, so update it` },
  ]
}

async function routes(client: Client): Promise<Inability[]> {
  const classes = await ifPermitted(client.list<IngressClass>(ingressClasses))
  if (classes === undefined || classes.items.length > 0) return []
  return [
    {
      hard: false,
      reason:
        'nothing in the cluster serves routes (there is no IngressClass), so hosts and paths lead nowhere until an ingress controller is installed',
    },
  ]
}

async function storage(client: Client): Promise<Inability[]> {
  const classes = await ifPermitted(client.list<StorageClass>(storageClasses))
  if (classes?.items.every(({ metadata }) => metadata.annotations?.[defaultStorage] !== 'true') !== true) return []
  return [
    { hard: true, reason: 'the cluster has no default StorageClass, so nothing makes volumes for data; mark one' },
  ]
}
