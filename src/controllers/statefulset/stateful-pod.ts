// Pods with an identity: `web-0`, `web-1`, each with its own claims. Making them, and telling whose they are.
import type {
  OwnerReference,
  PersistentVolumeClaim,
  Pod,
  PodTemplateSpec,
  StatefulSet,
} from '../../api/generated/models.ts'
import type { New } from '../../api/object.ts'
import { pods, statefulSets } from '../../api/resources.ts'
import { revisionLabel } from '../../control/controller-revisions.ts'
import { controllerReference } from '../../control/ownership.ts'
import { podFromTemplate } from '../../control/pods.ts'

const nameLabel = 'statefulset.kubernetes.io/pod-name'
const indexLabel = 'apps.kubernetes.io/pod-index'

export const firstOrdinal = ({ spec }: StatefulSet): number => spec.ordinals?.start ?? 0
export const podName = (set: StatefulSet, ordinal: number): string => `${set.metadata.name}-${ordinal}`
const claimName = (template: PersistentVolumeClaim, set: StatefulSet, ordinal: number): string =>
  `${template.metadata.name}-${podName(set, ordinal)}`

/** The ordinal in a pod's name; undefined when it is not a name that the set would give. */
export function ordinalOf(set: StatefulSet, name: string): number | undefined {
  const prefix = `${set.metadata.name}-`
  const text = name.startsWith(prefix) ? name.slice(prefix.length) : ''
  return /^(0|[1-9]\d*)$/.test(text) ? Number(text) : undefined
}

/** @param template of the revision that the pod is made from; `revision` is that one's name */
export function podFor(set: StatefulSet, ordinal: number, template: PodTemplateSpec, revision: string): New<Pod> {
  const {
    metadata: { generateName: _none, ...metadata },
    spec,
  } = podFromTemplate(template, controllerReference(set, statefulSets), set.metadata.namespace)
  const name = podName(set, ordinal)
  const claims = (set.spec.volumeClaimTemplates ?? []).map(claim => ({
    name: claim.metadata.name,
    persistentVolumeClaim: { claimName: claimName(claim, set, ordinal) },
  }))
  const claimed = new Set(claims.map(volume => volume.name))
  const volumes = [...claims, ...(spec!.volumes ?? []).filter(volume => !claimed.has(volume.name))]
  return {
    metadata: {
      ...metadata,
      name,
      labels: { ...metadata.labels, [nameLabel]: name, [indexLabel]: `${ordinal}`, [revisionLabel]: revision },
    },
    spec: {
      ...spec!,
      hostname: name,
      ...(set.spec.serviceName && { subdomain: set.spec.serviceName }),
      ...(volumes.length > 0 && { volumes }),
    },
  }
}

/** With whom a claim goes by the retention policy: with the pod when the set was scaled down, else with the set; with nobody by default. */
export function claimOwner(set: StatefulSet, ordinal: number, pod: Pod | undefined): OwnerReference | undefined {
  const { whenDeleted, whenScaled } = set.spec.persistentVolumeClaimRetentionPolicy ?? {}
  const condemned = ordinal < firstOrdinal(set) || ordinal >= firstOrdinal(set) + (set.spec.replicas ?? 1)
  if (whenScaled === 'Delete' && condemned && pod !== undefined) return controllerReference(pod, pods)
  return whenDeleted === 'Delete' ? controllerReference(set, statefulSets) : undefined
}

/** The claims of a pod that is to be made. */
export function claimsFor(set: StatefulSet, ordinal: number): New<PersistentVolumeClaim>[] {
  const owner = claimOwner(set, ordinal, undefined)
  return (set.spec.volumeClaimTemplates ?? []).map(template => ({
    metadata: {
      ...template.metadata,
      namespace: set.metadata.namespace,
      name: claimName(template, set, ordinal),
      labels: { ...template.metadata.labels, ...set.spec.selector.matchLabels },
      ...(owner !== undefined && { ownerReferences: [owner] }),
    } as New<PersistentVolumeClaim>['metadata'],
    spec: template.spec,
  }))
}

/** Whether a claim has a name that the set would give. */
export const isClaimOf = (set: StatefulSet, { metadata }: PersistentVolumeClaim): boolean =>
  metadata.namespace === set.metadata.namespace &&
  (set.spec.volumeClaimTemplates ?? []).some(template =>
    metadata.name.startsWith(`${template.metadata.name}-${set.metadata.name}-`),
  )
