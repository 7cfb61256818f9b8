// An APIService for each group and version that this server answers itself, as `kubectl get apiservices`
// shows them. Source: pkg/controlplane/apiserver/aggregator.go.
import type { APIService } from '../../api/generated/models.ts'
import { apiServices } from '../../api/resources.ts'
import { formatTime } from '../../lib/clock.ts'
import type { ServerContext } from '../server-context.ts'

/** Of a group among groups; of its versions 15 unless said otherwise. */
const groupPriorities: Readonly<Record<string, number>> = {
  '': 18_000,
  apps: 17_800,
  'events.k8s.io': 17_750,
  'authentication.k8s.io': 17_700,
  'authorization.k8s.io': 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  'certificates.k8s.io': 17_300,
  'networking.k8s.io': 17_200,
  policy: 17_100,
  'rbac.authorization.k8s.io': 17_000,
  'storage.k8s.io': 16_800,
  'admissionregistration.k8s.io': 16_700,
  'apiextensions.k8s.io': 16_700,
  'scheduling.k8s.io': 16_600,
  'coordination.k8s.io': 16_500,
  'node.k8s.io': 16_300,
  'discovery.k8s.io': 16_200,
  'flowcontrol.apiserver.k8s.io': 16_100,
  'resource.k8s.io': 15_900,
}
const versionPriorities: Readonly<Record<string, number>> = {
  '/v1': 1,
  'autoscaling/v2': 30,
  'flowcontrol.apiserver.k8s.io/v1': 21,
  'resource.k8s.io/v1': 20,
}
const usualVersionPriority = 15

export const localCondition = (
  nowMs: number,
): NonNullable<NonNullable<APIService['status']>['conditions']>[number] => ({
  type: 'Available',
  status: 'True',
  lastTransitionTime: formatTime(nowMs),
  reason: 'Local',
  message: 'Local APIServices are always available',
})

/** Only what is not there; written as one batch, past admission, as nobody else may have a say. */
export async function createLocalApiServices({ kinds, storage, clock, random }: ServerContext): Promise<void> {
  const wanted = new Map(
    kinds.all().map(({ resource: { group, version } }) => [`${version}.${group}`, { group, version }]),
  )
  // The API of APIServices themselves is part of the aggregator, and has none.
  const missing = [...wanted].filter(
    ([name, { group }]) => group !== apiServices.group && storage.get(apiServices, name) === undefined,
  )
  await Promise.all(
    missing.map(([name, { group, version }]) =>
      storage.put(
        apiServices,
        name,
        {
          kind: 'APIService',
          apiVersion: 'apiregistration.k8s.io/v1',
          metadata: {
            name,
            uid: random.uuid(),
            creationTimestamp: formatTime(clock.now()),
            labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' },
          },
          spec: {
            ...(group !== '' && { group }),
            version,
            groupPriorityMinimum: groupPriorities[group] ?? 1000,
            versionPriority: versionPriorities[`${group}/${version}`] ?? usualVersionPriority,
          },
          status: { conditions: [localCondition(clock.now())] },
        } as unknown as APIService,
        0,
      ),
    ),
  )
}
