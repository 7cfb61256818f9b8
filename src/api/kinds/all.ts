// Every kind there is. Adding one: a file beside this one, a line here, a resource in ../resources.ts.
import type { KindDefinition } from '../kind.ts'
import { configMapKind } from './config-map.ts'
import { deploymentKind } from './deployment.ts'
import { endpointSliceKind } from './endpoint-slice.ts'
import { endpointsKind } from './endpoints.ts'
import { eventKind } from './event.ts'
import { jobKind } from './job.ts'
import { leaseKind } from './lease.ts'
import { namespaceKind } from './namespace.ts'
import { nodeKind } from './node.ts'
import { podKind } from './pod.ts'
import { replicaSetKind } from './replica-set.ts'
import { replicationControllerKind } from './replication-controller.ts'
import { secretKind } from './secret.ts'
import { serviceAccountKind } from './service-account.ts'
import { serviceKind } from './service.ts'

export const allKinds: readonly KindDefinition[] = [
  namespaceKind, nodeKind, podKind, serviceKind, endpointsKind, configMapKind, secretKind, serviceAccountKind, eventKind,
  replicationControllerKind, replicaSetKind, deploymentKind, jobKind, leaseKind, endpointSliceKind,
]
