// Every kind there is. Adding one: a file beside this one, a line here, a resource in ../resources.ts.
import type { KindDefinition } from '../kind.ts'
import { apiServiceKind } from './api-service.ts'
import { certificateSigningRequestKind } from './certificate-signing-request.ts'
import { clusterRoleBindingKind } from './cluster-role-binding.ts'
import { clusterRoleKind } from './cluster-role.ts'
import { componentStatusKind } from './component-status.ts'
import { configMapKind } from './config-map.ts'
import { controllerRevisionKind } from './controller-revision.ts'
import { cronJobKind } from './cron-job.ts'
import { csiDriverKind } from './csi-driver.ts'
import { csiNodeKind } from './csi-node.ts'
import { csiStorageCapacityKind } from './csi-storage-capacity.ts'
import { customResourceDefinitionKind } from './custom-resource-definition.ts'
import { daemonSetKind } from './daemon-set.ts'
import { deploymentKind } from './deployment.ts'
import { deviceClassKind } from './device-class.ts'
import { endpointSliceKind } from './endpoint-slice.ts'
import { endpointsKind } from './endpoints.ts'
import { eventOfEventsGroupKind } from './event-of-events-group.ts'
import { eventKind } from './event.ts'
import { flowSchemaKind } from './flow-schema.ts'
import { horizontalPodAutoscalerV1Kind } from './horizontal-pod-autoscaler-v1.ts'
import { horizontalPodAutoscalerKind } from './horizontal-pod-autoscaler.ts'
import { ingressClassKind } from './ingress-class.ts'
import { ingressKind } from './ingress.ts'
import { ipAddressKind } from './ip-address.ts'
import { jobKind } from './job.ts'
import { leaseKind } from './lease.ts'
import { limitRangeKind } from './limit-range.ts'
import { mutatingAdmissionPolicyBindingKind } from './mutating-admission-policy-binding.ts'
import { mutatingAdmissionPolicyKind } from './mutating-admission-policy.ts'
import { mutatingWebhookConfigurationKind } from './mutating-webhook-configuration.ts'
import { namespaceKind } from './namespace.ts'
import { networkPolicyKind } from './network-policy.ts'
import { nodeKind } from './node.ts'
import { persistentVolumeClaimKind } from './persistent-volume-claim.ts'
import { persistentVolumeKind } from './persistent-volume.ts'
import { podDisruptionBudgetKind } from './pod-disruption-budget.ts'
import { podTemplateKind } from './pod-template.ts'
import { podKind } from './pod.ts'
import { priorityClassKind } from './priority-class.ts'
import { priorityLevelConfigurationKind } from './priority-level-configuration.ts'
import { replicaSetKind } from './replica-set.ts'
import { replicationControllerKind } from './replication-controller.ts'
import { resourceClaimTemplateKind } from './resource-claim-template.ts'
import { resourceClaimKind } from './resource-claim.ts'
import { resourceQuotaKind } from './resource-quota.ts'
import { resourceSliceKind } from './resource-slice.ts'
import {
  bindingKind,
  localSubjectAccessReviewKind,
  selfSubjectAccessReviewKind,
  selfSubjectReviewKind,
  selfSubjectRulesReviewKind,
  subjectAccessReviewKind,
  tokenReviewKind,
} from './reviews.ts'
import { roleBindingKind } from './role-binding.ts'
import { roleKind } from './role.ts'
import { runtimeClassKind } from './runtime-class.ts'
import { secretKind } from './secret.ts'
import { serviceAccountKind } from './service-account.ts'
import { serviceCidrKind } from './service-cidr.ts'
import { serviceKind } from './service.ts'
import { statefulSetKind } from './stateful-set.ts'
import { storageClassKind } from './storage-class.ts'
import { validatingAdmissionPolicyBindingKind } from './validating-admission-policy-binding.ts'
import { validatingAdmissionPolicyKind } from './validating-admission-policy.ts'
import { validatingWebhookConfigurationKind } from './validating-webhook-configuration.ts'
import { volumeAttachmentKind } from './volume-attachment.ts'
import { volumeAttributesClassKind } from './volume-attributes-class.ts'

export const allKinds: readonly KindDefinition[] = [
  namespaceKind,
  nodeKind,
  podKind,
  serviceKind,
  endpointsKind,
  configMapKind,
  secretKind,
  serviceAccountKind,
  eventKind,
  replicationControllerKind,
  replicaSetKind,
  deploymentKind,
  jobKind,
  leaseKind,
  endpointSliceKind,
  limitRangeKind,
  resourceQuotaKind,
  persistentVolumeKind,
  persistentVolumeClaimKind,
  podTemplateKind,
  componentStatusKind,
  statefulSetKind,
  daemonSetKind,
  controllerRevisionKind,
  cronJobKind,
  ingressKind,
  ingressClassKind,
  networkPolicyKind,
  ipAddressKind,
  serviceCidrKind,
  podDisruptionBudgetKind,
  roleKind,
  clusterRoleKind,
  roleBindingKind,
  clusterRoleBindingKind,
  storageClassKind,
  csiDriverKind,
  csiNodeKind,
  csiStorageCapacityKind,
  volumeAttachmentKind,
  volumeAttributesClassKind,
  priorityClassKind,
  runtimeClassKind,
  certificateSigningRequestKind,
  flowSchemaKind,
  priorityLevelConfigurationKind,
  validatingWebhookConfigurationKind,
  mutatingWebhookConfigurationKind,
  validatingAdmissionPolicyKind,
  validatingAdmissionPolicyBindingKind,
  mutatingAdmissionPolicyKind,
  mutatingAdmissionPolicyBindingKind,
  deviceClassKind,
  resourceClaimKind,
  resourceClaimTemplateKind,
  resourceSliceKind,
  apiServiceKind,
  customResourceDefinitionKind,
  horizontalPodAutoscalerKind,
  horizontalPodAutoscalerV1Kind,
  eventOfEventsGroupKind,
  bindingKind,
  tokenReviewKind,
  selfSubjectReviewKind,
  subjectAccessReviewKind,
  selfSubjectAccessReviewKind,
  localSubjectAccessReviewKind,
  selfSubjectRulesReviewKind,
]
