// What a gateway does, as far as the objects of its cluster say it: the same model that the gateway makes, of what its
// statuses tell in place of what only its own machine knows.
import { isForbidden, isNotFound } from '../api/api-error.ts'
import { serviceKeys } from '../api/endpoint-slice-labels.ts'
import {
  accessPolicies,
  balancingPolicies,
  certificateIssuers,
  consumers,
  trafficPolicies,
} from '../api/gateway-api/resources.ts'
import { keyOf, type KubeObject } from '../api/object.ts'
import type { Resource } from '../api/resource.ts'
import { endpointSlices, services } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import { gatewayModel, type MadeModel } from '../gateway/model/gateway-model.ts'
import type { Front } from '../gateway/model/gateway-addresses.ts'
import type { Problem } from '../gateway/model/host-rule.ts'
import { observed, routeResources, usualResources } from '../gateway/observe.ts'
import { policyProblems, toldByStatuses } from '../gateway/told-by-statuses.ts'
import { errorText } from '../lib/error-text.ts'

export interface KnownGateway extends Pick<MadeModel, 'model' | 'problems' | 'policing' | 'routes'> {
  readonly front: Front
  /** What could not be read, so that nothing is told of it. */
  readonly notes: readonly string[]
}

const policyResources: readonly Resource[] = [
  accessPolicies,
  trafficPolicies,
  balancingPolicies,
  consumers,
  certificateIssuers,
] as readonly Resource[]

export async function knownGateway(client: Pick<Client, 'list'>): Promise<KnownGateway> {
  // How services are spoken to says nothing of where requests go.
  const resources = [...usualResources, ...routeResources].filter(({ kind }) => kind !== 'BackendTLSPolicy')
  const notes: string[] = []
  const lists = new Map(
    await Promise.all(resources.map(async resource => [resource, await listed(client, resource, notes)] as const)),
  )
  const all = <T extends KubeObject>(resource: Resource<T>): readonly T[] =>
    (lists.get(resource as Resource) ?? []) as readonly T[]
  const byName = new Map(all(services).map(service => [keyOf(service), service]))
  const byService = Map.groupBy(all(endpointSlices), slice => serviceKeys(slice)[0])
  const bare = observed(
    {
      all,
      service: (namespace, name) => byName.get(`${namespace}/${name}`),
      slices: (namespace, name) => byService.get(`${namespace}/${name}`) ?? [],
      // Secrets are nothing to read for whoever asks where requests go.
      configuration: () => undefined,
      secret: () => undefined,
      certificate: () => ({ problem: 'it is not read' }),
    },
    { addresses: new Set(), taken: new Set() },
  )
  const { front, machine, refused, certificates, authorities } = toldByStatuses(bare)
  const made = gatewayModel(
    {
      ...bare,
      machine,
      refused,
      authority: (namespace, name) => {
        const problem = authorities.get(`${namespace}/${name}`)
        return problem === undefined ? { pem: '' } : { problem }
      },
      certificate: (namespace, name) => {
        const problem = certificates.get(`${namespace}/${name}`)
        return problem === undefined
          ? {
              certificate: { id: `${namespace}.${name}`, pem: '' },
              names: ['*'],
              validFromMs: 0,
              expiresAtMs: Infinity,
            }
          : { problem }
      },
    },
    front,
  )
  return {
    front,
    model: made.model,
    policing: made.policing,
    routes: made.routes,
    problems: [...made.problems.filter(isKnown), ...policyProblems(bare)],
    notes,
  }
}

const ofPolicies = new Set(policyResources.map(({ kind }) => kind))

/** What Secrets and free addresses there are is known to the gateway alone. */
const isKnown = ({ owner, reason }: Problem): boolean =>
  !ofPolicies.has(owner.split(' ')[0]!) &&
  reason !== 'AddressNotAssigned' &&
  !(owner.startsWith('Ingress ') && reason === 'CertificateNotUsable')

/** Nothing where the cluster has no such kind, and where policies are not for this user to read. */
async function listed(
  client: Pick<Client, 'list'>,
  resource: Resource,
  notes: string[],
): Promise<readonly KubeObject[]> {
  try {
    return (await client.list(resource)).items
  } catch (error) {
    if (isNotFound(error)) return []
    if (!isForbidden(error) || !policyResources.includes(resource)) throw error
    notes.push(`${resource.plural} could not be read, so that nothing is told of them: ${errorText(error)}`)
    return []
  }
}
