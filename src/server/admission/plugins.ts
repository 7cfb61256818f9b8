// The plug-ins in the order in which Kubernetes runs them.
import type { AdmissionPlugin } from '../server-context.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './certificates.ts'
import { certificateRequester } from './certificate-requester.ts'
import { persistentVolumeClaimResize } from './claim-resize.ts'
import { defaultIngressClass, defaultStorageClass } from './default-classes.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'
import { limitRanger } from './limit-ranger.ts'
import { mutatingAdmissionPolicy } from './mutating-admission-policy.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { nodeRestriction } from './node-restriction.ts'
import { notActedOn } from './not-acted-on.ts'
import { nodeDeclaredFeatureValidator, podResizeValidator } from './pod-resize.ts'
import { podSecurity } from './pod-security.ts'
import { podTopologyLabels } from './pod-topology-labels.ts'
import { policyExpressions } from './policy-expressions.ts'
import { priority } from './priority.ts'
import { rbacEscalation } from './rbac-escalation.ts'
import { resourceQuota } from './resource-quota.ts'
import { runtimeClassAdmission } from './runtime-class.ts'
import { serviceAccountAdmission } from './service-account.ts'
import { taintNodesByCondition } from './taint-nodes.ts'
import { validatingAdmissionPolicy } from './validating-admission-policy.ts'
import { mutatingWebhooks } from './webhooks/mutating-webhooks.ts'
import { validatingWebhooks } from './webhooks/validating-webhooks.ts'

export const admissionPlugins = (storage: ObjectStorage): readonly AdmissionPlugin[] => [
  namespaceLifecycle,
  limitRanger,
  serviceAccountAdmission,
  nodeRestriction,
  taintNodesByCondition,
  podSecurity,
  priority,
  defaultTolerationSeconds,
  defaultStorageClass,
  persistentVolumeClaimResize,
  runtimeClassAdmission,
  certificateRequester,
  certificateApproval,
  certificateSigning,
  certificateSubjectRestriction,
  defaultIngressClass,
  podTopologyLabels,
  nodeDeclaredFeatureValidator,
  podResizeValidator,
  rbacEscalation,
  policyExpressions,
  mutatingAdmissionPolicy,
  mutatingWebhooks(storage),
  validatingAdmissionPolicy,
  validatingWebhooks(storage),
  resourceQuota,
  notActedOn,
]
