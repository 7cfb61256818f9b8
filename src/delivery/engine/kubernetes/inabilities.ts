// What of a delivery this cluster cannot do, or this user may not: found out by asking, before anything is changed.
import { text } from 'node:stream/consumers'
import { policyGroup } from '../../../api/gateway-names.ts'
import { groupResource, type Resource } from '../../../api/resource.ts'
import { deployments, horizontalPodAutoscalers } from '../../../api/resources.ts'
import type { Client } from '../../../client/client.ts'
import type { InFlight } from '../../../lib/in-flight.ts'
import type { Inability } from '../engine.ts'
import type { Part, Place, Route, Workload } from '../parts.ts'
import type { Discovery } from './discovery.ts'
import { foreignObjects } from './foreign-objects.ts'
import { gatewayInabilities } from './gateway-inabilities.ts'
import { objectName } from './labels.ts'
import { ifPermitted } from './permitted.ts'
import { policyInabilities } from './policy-inabilities.ts'
import type { LogClient } from './pod-log.ts'
import { missingRights, rightsFor, rightText } from './rights.ts'
import { rightsToMove } from './rights-to-move.ts'
import { ingressClassesOf, routeInabilities } from './route-inabilities.ts'
import type { RouteStyle } from './route-style.ts'
import { storageInabilities } from './storage-inabilities.ts'

/** Since then it can wait before it stops an instance without a program for that in the image. */
const oldestMinor = 30

export interface Asked {
  readonly client: Client & LogClient
  readonly inFlight: InFlight
  readonly discovery: Discovery
  style(): Promise<RouteStyle>
}

export async function inabilities(asked: Asked, place: Place, parts: readonly Part[]): Promise<readonly Inability[]> {
  const { client, inFlight } = asked
  const routes = parts.filter(part => part.kind === 'route')
  const style: RouteStyle = routes.length === 0 ? { kind: 'ingress', because: '' } : await asked.style()
  const workloads = parts.filter(part => part.kind === 'workload')
  const storing = workloads.filter(({ storage }) => storage !== undefined)
  const found = await Promise.all([
    rights(asked, place, parts, style.kind),
    autoscalers(asked, place.namespace, workloads),
    foreignObjects(client, place, parts, style.kind),
    inFlight.ask('version', () => age(client)),
    unserved(asked, parts),
    unroutable(asked, place, routes, style),
    storageInabilities(client, place, storing),
  ])
  return found.flat()
}

async function unroutable(
  { client, inFlight, discovery }: Asked,
  place: Place,
  routes: readonly Route[],
  style: RouteStyle,
): Promise<Inability[]> {
  if (routes.length === 0) return []
  const classes =
    style.kind === 'gateway' ? undefined : await inFlight.ask('ingress classes', () => ingressClassesOf(client))
  const found = await Promise.all([
    policyInabilities({ client, discovery }, place, routes, style, classes),
    style.kind === 'gateway'
      ? gatewayInabilities({ client, discovery }, place, routes, style.gateway)
      : routeInabilities(client, place, routes, classes),
  ])
  return found.flat()
}

async function rights(
  { client, inFlight }: Asked,
  place: Place,
  parts: readonly Part[],
  style: RouteStyle['kind'],
): Promise<Inability[]> {
  const { namespace } = place
  const moved = await rightsToMove(client, place, parts, style)
  const missing = await missingRights(client, inFlight, namespace, [...rightsFor(parts, style), ...moved])
  return missing.map(right => ({
    hard: true,
    reason: `you may not ${rightText(right)} in the namespace ${namespace}; ask whoever runs the cluster for that right`,
  }))
}

/** Who may not see them would set back what they have decided, which is told where there is something to set back. */
async function autoscalers(
  { client, inFlight }: Asked,
  namespace: string,
  workloads: readonly Workload[],
): Promise<Inability[]> {
  if (workloads.length === 0) return []
  const isSeen = await inFlight.ask(
    `autoscalers in ${namespace}`,
    async () => (await ifPermitted(client.list(horizontalPodAutoscalers, { namespace }))) !== undefined,
  )
  if (isSeen) return []
  const found = await Promise.all(
    workloads.map(async ({ name, instances }): Promise<Inability[]> => {
      const target = { namespace, name: objectName(name) }
      const { replicas = instances } = (await ifPermitted(client.get(deployments, target)))?.spec ?? {}
      if (replicas === instances) return []
      const right = rightText({ ...horizontalPodAutoscalers, verbs: ['list'] })
      const reason = `${name} has ${replicas} instances and is to have ${instances}; whether an autoscaler has decided that is not to be known, because you may not ${right} in the namespace ${namespace}`
      return [{ hard: false, reason }]
    }),
  )
  return found.flat()
}

/** All of Kubernetes' own groups that a delivery uses are in their first version. */
const groupVersion = 'v1'

async function unserved({ discovery }: Asked, parts: readonly Part[]): Promise<Inability[]> {
  const needed = new Map<string, Pick<Resource, 'group' | 'plural'>>()
  // Whether HTTPRoutes and policies are served are questions of their own.
  for (const right of rightsFor(parts, 'ingress'))
    if (right.group !== '' && right.group !== policyGroup && !needed.has(right.group)) needed.set(right.group, right)
  const found = await Promise.all(
    [...needed.values()].map(async (resource): Promise<Inability[]> => {
      if ((await discovery.servesVersion(resource.group, groupVersion)) !== false) return []
      const reason = `the cluster serves no ${groupResource(resource)} in version ${groupVersion}, which this needs; expected Kubernetes 1.${oldestMinor} or newer with all of its own APIs`
      return [{ hard: true, reason }]
    }),
  )
  return found.flat()
}

async function age(client: LogClient): Promise<Inability[]> {
  const answer = await ifPermitted(client.raw('/version').then(text))
  const { major, minor, gitVersion } = JSON.parse(answer ?? '{}') as Partial<Record<string, string>>
  if (major !== '1' || Number.parseInt(minor ?? '', 10) >= oldestMinor) return []
  return [
    { hard: true, reason: `the cluster is Kubernetes ${gitVersion}; expected 1.${oldestMinor} or newer, so update it` },
  ]
}
