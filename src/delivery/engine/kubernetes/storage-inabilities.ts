// Data that would find no volume: such an instance never starts, so it is not begun.
import type { PersistentVolume, StorageClass } from '../../../api/generated/models.ts'
import { persistentVolumeClaims, persistentVolumes, storageClasses } from '../../../api/resources.ts'
import type { Client } from '../../../client/client.ts'
import type { Inability } from '../engine.ts'
import type { Place, Workload } from '../parts.ts'
import { labelValue, label, objectName } from './labels.ts'
import { ifPermitted, itemsIfPermitted } from './permitted.ts'

const defaultMark = 'storageclass.kubernetes.io/is-default-class'

/** @param workloads that keep data */
export async function storageInabilities(
  client: Client,
  { namespace, service }: Place,
  workloads: readonly Workload[],
): Promise<Inability[]> {
  if (workloads.length === 0) return []
  const labelSelector = `${label.service}=${labelValue(service)}`
  const [classes, volumes, claims] = await Promise.all([
    ifPermitted(client.list<StorageClass>(storageClasses)),
    ifPermitted(client.list<PersistentVolume>(persistentVolumes)),
    itemsIfPermitted(client.list(persistentVolumeClaims, { namespace, labelSelector })),
  ])
  if (classes === undefined || classes.items.some(isDefault) || volumes?.items.some(isForAnybody)) return []
  const isBound = ({ name }: Workload): boolean =>
    claims.some(({ metadata, status }) => metadata.name === `data-${objectName(name)}-0` && status.phase === 'Bound')
  const open = workloads.filter(workload => !isBound(workload))
  if (open.length === 0) return []
  const names = classes.items.map(({ metadata }) => metadata.name)
  const remedy =
    names.length === 0
      ? 'there is no StorageClass; install a provisioner of volumes'
      : `no StorageClass is the default (there is ${names.join(', ')}); mark one: kubectl annotate storageclass NAME ${defaultMark}=true`
  return [
    {
      // Who may not look at volumes cannot know that none is there already.
      hard: volumes !== undefined,
      reason: `nothing makes a volume for the data of ${open.map(({ name }) => name).join(', ')}: ${remedy}`,
    },
  ]
}

const isDefault = ({ metadata }: StorageClass): boolean => metadata.annotations?.[defaultMark] === 'true'

/** A claim that names no class is bound to such a volume, too. */
const isForAnybody = ({ spec, status }: PersistentVolume): boolean =>
  !spec.storageClassName && status.phase === 'Available'
