// An APIService for each group and version that custom kinds bring, as Kubernetes keeps them: it comes with
// the first of the kinds and goes with the last. Source: pkg/controlplane/controller/crdregistration.
import type { APIService } from '../../api/generated/models.ts'
import { apiServices } from '../../api/resources.ts'
import { formatTime } from '../../lib/clock.ts'
import { localCondition } from '../aggregation/local-api-services.ts'
import type { ServerContext } from '../server-context.ts'

const label = 'kube-aggregator.kubernetes.io/automanaged'
/** Those of the program itself are managed `onstart`. */
const managed = 'true'
const groupPriorityMinimum = 1000
const versionPriority = 100

export async function keepApiServices({ kinds, storage, clock, random }: ServerContext): Promise<void> {
  const wanted = new Map(
    kinds
      .all()
      .filter(({ custom }) => custom !== undefined)
      .map(({ resource: { group, version } }) => [`${version}.${group}`, { group, version }]),
  )
  const present = storage
    .cache(apiServices)
    .list()
    .filter(({ labels }) => labels[label] === managed)
  await Promise.all([
    ...[...wanted]
      .filter(([name]) => storage.get(apiServices, name) === undefined)
      .map(([name, { group, version }]) =>
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
              labels: { [label]: managed },
            },
            spec: { group, version, groupPriorityMinimum, versionPriority },
            status: { conditions: [localCondition(clock.now())] },
          } as unknown as APIService,
          0,
        ),
      ),
    ...present.filter(({ key }) => !wanted.has(key)).map(object => storage.delete(apiServices, object)),
  ])
}
