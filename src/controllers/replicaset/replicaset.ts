// Keeps the number of pods each ReplicaSet asks for.
import { replicaSets } from '../../api/resources.ts'
import { defineController } from '../../control/controller.ts'
import { reconcileReplicas, watchPods } from '../../control/replicas.ts'
import type { ReplicaLoop } from '../../control/replicas.ts'
import type { ReplicaSet } from '../../api/generated/models.ts'

const loop: ReplicaLoop<ReplicaSet> = { resource: replicaSets, selectorOf: set => set.spec.selector }

export const replicaSetController = defineController({
  name: 'replicaset',
  primary: replicaSets,
  watches: [watchPods(loop)],
  reconciler: context => reconcileReplicas(loop, context),
})
