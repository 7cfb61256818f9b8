// Keeps the number of pods each ReplicationController asks for; its selector is a plain map.
import type { ReplicationController } from '../../api/generated/models.ts'
import { replicationControllers } from '../../api/resources.ts'
import { defineController } from '../../control/controller.ts'
import type { ReplicaLoop } from '../../control/replicas.ts'
import { reconcileReplicas, watchPods } from '../../control/replicas.ts'

const loop: ReplicaLoop<ReplicationController> = {
  resource: replicationControllers,
  selectorOf: controller => ({
    matchLabels: controller.spec.selector ?? controller.spec.template?.metadata?.labels ?? { '': '' },
  }),
}

export const replicationControllerController = defineController({
  name: 'replicationcontroller',
  primary: replicationControllers,
  watches: [watchPods(loop)],
  reconciler: context => reconcileReplicas(loop, context),
})
