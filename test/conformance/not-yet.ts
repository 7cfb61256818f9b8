// What list.test.ts does not look for: demands that need a pod which really runs (kubelet, network, DNS),
// and those that the product does not meet yet.

/** Files of Kubernetes' test/e2e whose tests, or those of them that match, need a running pod. */
export const needsRunningPod: readonly { file: string; names?: RegExp }[] = [
  { file: 'architecture/conformance.go' },
  { file: 'auth/service_accounts.go', names: /mount|OIDC discovery/ },
  { file: 'common/network/networking.go' },
  { file: 'common/node/configmap.go', names: /consumable/ },
  { file: 'common/node/container_probe.go' },
  { file: 'common/node/containers.go' },
  { file: 'common/node/downwardapi.go' },
  { file: 'common/node/expansion.go' },
  { file: 'common/node/ephemeral_containers.go' },
  { file: 'common/node/init_container.go' },
  { file: 'common/node/kubelet.go' },
  { file: 'common/node/kubelet_etc_hosts.go' },
  { file: 'common/node/lifecycle_hook.go' },
  { file: 'common/node/pods.go', names: /websockets|environment variables|host IP/ },
  { file: 'common/node/runtime.go' },
  { file: 'common/node/secrets.go', names: /consumable/ },
  { file: 'common/node/security_context.go' },
  { file: 'common/node/sysctl.go', names: /should support/ },
  { file: 'apps/job.go', names: /locally restarted/ },
  { file: 'apps/rc.go', names: /public image/ },
  { file: 'apps/replica_set.go', names: /public image/ },
  { file: 'common/storage/configmap_volume.go' },
  { file: 'common/storage/downwardapi_volume.go' },
  { file: 'common/storage/empty_dir.go' },
  { file: 'common/storage/projected_combined.go' },
  { file: 'common/storage/projected_configmap.go' },
  { file: 'common/storage/projected_downwardapi.go' },
  { file: 'common/storage/projected_secret.go' },
  { file: 'common/storage/secrets_volume.go' },
  { file: 'kubectl/kubectl.go', names: /Guestbook/ },
  { file: 'kubectl/logs.go' },
  { file: 'network/dns.go' },
  { file: 'network/service.go', names: /functioning NodePort|session affinity/ },
  { file: 'network/service_latency.go' },
  { file: 'node/pre_stop.go' },
  { file: 'node/security_context.go' },
  { file: 'storage/empty_dir_wrapper.go' },
  { file: 'storage/subpath.go' },
]

const preemption = 'the scheduler does not preempt'
const notServed = 'the kind is not served'

/** Sentence of the codename, and why. */
export const notYet: Readonly<Record<string, string>> = {
  'SchedulerPreemption PreemptionExecutionPath runs ReplicaSets to verify preemption running path': preemption,
  'SchedulerPreemption validates basic preemption works': preemption,
  'SchedulerPreemption validates lower priority pod preemption by critical pod': preemption,
  'StorageVersionMigration CRUD Tests storagemigration.k8s.io/v1 StorageVersionMigration': notServed,
  'PodCertificateRequest API should support PodCertificateRequest API operations': notServed,
  'CRUD Tests resource.k8s.io/v1 DeviceTaintRule': notServed,
}
