// Which objects of its namespace a pod needs on its node: what the node agent watches and what a node may
// read. Pure. Source: pkg/api/v1/pod (visitors of secret and config map names) of Kubernetes.
import type { Container, Pod, Volume } from './generated/models.ts'
import { claimNameOf } from './persistent-storage.ts'

/** Names in the pod's own namespace. */
export interface PodReferences {
  readonly secrets: ReadonlySet<string>
  readonly configMaps: ReadonlySet<string>
  readonly claims: ReadonlySet<string>
  readonly resourceClaims: ReadonlySet<string>
}

export function podReferences(pod: Pod): PodReferences {
  const found = {
    secrets: new Set<string>(),
    configMaps: new Set<string>(),
    claims: new Set<string>(),
    resourceClaims: new Set<string>(),
  }
  const { spec, status } = pod
  for (const { name } of spec.imagePullSecrets ?? []) add(found.secrets, name)
  for (const container of allContainers(pod)) {
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      add(found.configMaps, configMapRef?.name)
      add(found.secrets, secretRef?.name)
    }
    for (const { valueFrom } of container.env ?? []) {
      add(found.configMaps, valueFrom?.configMapKeyRef?.name)
      add(found.secrets, valueFrom?.secretKeyRef?.name)
    }
  }
  for (const volume of spec.volumes ?? []) {
    for (const name of volumeSecrets(volume)) add(found.secrets, name)
    add(found.configMaps, volume.configMap?.name)
    for (const source of volume.projected?.sources ?? []) add(found.configMaps, source.configMap?.name)
    add(found.claims, claimNameOf(pod, volume))
  }
  for (const claim of [...(spec.resourceClaims ?? []), ...(status?.resourceClaimStatuses ?? [])])
    add(found.resourceClaims, claim.resourceClaimName)
  return found
}

const allContainers = ({ spec }: Pod): Container[] => [
  ...(spec.initContainers ?? []),
  ...spec.containers,
  ...((spec.ephemeralContainers ?? []) as Container[]),
]

function volumeSecrets({
  secret,
  projected,
  azureFile,
  cephfs,
  csi,
  flexVolume,
  iscsi,
  rbd,
  scaleIO,
  storageos,
}: Volume): (string | undefined)[] {
  const references = [cephfs, flexVolume, iscsi, rbd, scaleIO, storageos].map(source => source?.secretRef?.name)
  return [
    secret?.secretName,
    azureFile?.secretName,
    csi?.nodePublishSecretRef?.name,
    ...references,
    ...(projected?.sources ?? []).map(source => source.secret?.name),
  ]
}

function add(names: Set<string>, name: string | undefined): void {
  if (name !== undefined && name !== '') names.add(name)
}
