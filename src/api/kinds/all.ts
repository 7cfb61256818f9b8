// Every kind there is. Adding one: a file beside this one, a line here, a resource in ../resources.ts.
import type { KindDefinition } from '../kind.ts'
import { componentStatusKind } from './component-status.ts'
import { controllerRevisionKind } from './controller-revision.ts'
import { cronJobKind } from './cron-job.ts'
import { daemonSetKind } from './daemon-set.ts'
import { ingressClassKind } from './ingress-class.ts'
import { ingressKind } from './ingress.ts'
import { ipAddressKind } from './ip-address.ts'
import { limitRangeKind } from './limit-range.ts'
import { networkPolicyKind } from './network-policy.ts'
import { persistentVolumeClaimKind } from './persistent-volume-claim.ts'
import { persistentVolumeKind } from './persistent-volume.ts'
import { podDisruptionBudgetKind } from './pod-disruption-budget.ts'
import { podTemplateKind } from './pod-template.ts'
import { resourceQuotaKind } from './resource-quota.ts'
import { serviceCidrKind } from './service-cidr.ts'
import { statefulSetKind } from './stateful-set.ts'
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
  limitRangeKind, resourceQuotaKind, persistentVolumeKind, persistentVolumeClaimKind, podTemplateKind, componentStatusKind,
  statefulSetKind, daemonSetKind, controllerRevisionKind, cronJobKind,
  ingressKind, ingressClassKind, networkPolicyKind, ipAddressKind, serviceCidrKind, podDisruptionBudgetKind,
]
