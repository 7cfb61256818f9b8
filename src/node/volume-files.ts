// The files that ConfigMap, Secret, downward API and projected volumes consist of, computed from objects.
import type {
  ConfigMap,
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  ProjectedVolumeSource,
  Secret,
  ServiceAccountTokenProjection,
  Volume,
} from '../api/generated/models.ts'
import { fieldValue, resourceValue, type NodeCapacity, type PodAddresses } from './downward-api.ts'

export interface VolumeFile {
  readonly path: string
  readonly content: Buffer
  readonly mode: number
}

export interface VolumeSources {
  readonly configMap: (name: string) => Promise<ConfigMap | undefined>
  readonly secret: (name: string) => Promise<Secret | undefined>
  readonly token: (projection: ServiceAccountTokenProjection) => Promise<string>
  /** The pod's addresses are not known before its sandbox runs. */
  readonly addresses: PodAddresses
  readonly node: NodeCapacity
}

/** The volume cannot be set up; the message is the kubelet's. */
export class VolumeError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'VolumeError'
  }
}

const defaultMode = 0o644

/** Undefined for volumes that do not consist of files. @throws VolumeError */
export async function volumeFiles(pod: Pod, volume: Volume, sources: VolumeSources): Promise<VolumeFile[] | undefined> {
  if (volume.configMap !== undefined) {
    const { name = '', items, optional } = volume.configMap
    return await configMapFiles(pod, name, items, optional, volume.configMap.defaultMode ?? defaultMode, sources)
  }
  if (volume.secret !== undefined) {
    const { secretName = '', items, optional } = volume.secret
    return await secretFiles(pod, secretName, items, optional, volume.secret.defaultMode ?? defaultMode, sources)
  }
  if (volume.downwardAPI !== undefined)
    return downwardFiles(pod, volume.downwardAPI.items ?? [], volume.downwardAPI.defaultMode ?? defaultMode, sources)
  if (volume.projected !== undefined) return await projectedFiles(pod, volume.projected, sources)
  return undefined
}

async function configMapFiles(
  pod: Pod,
  name: string,
  items: readonly KeyToPath[] | undefined,
  optional: boolean | undefined,
  mode: number,
  sources: VolumeSources,
): Promise<VolumeFile[]> {
  const configMap = await sources.configMap(name)
  if (configMap === undefined && optional !== true) throw new VolumeError(`configmap "${name}" not found`)
  const data = new Map<string, Buffer>([
    ...Object.entries(configMap?.data ?? {}).map(([key, value]): [string, Buffer] => [key, Buffer.from(value)]),
    ...Object.entries(configMap?.binaryData ?? {}).map(([key, value]): [string, Buffer] => [
      key,
      Buffer.from(value, 'base64'),
    ]),
  ])
  return pick(data, items, optional, mode, 'configmap references non-existent config key: ')
}

async function secretFiles(
  pod: Pod,
  name: string,
  items: readonly KeyToPath[] | undefined,
  optional: boolean | undefined,
  mode: number,
  sources: VolumeSources,
): Promise<VolumeFile[]> {
  const secret = await sources.secret(name)
  if (secret === undefined && optional !== true) throw new VolumeError(`secret "${name}" not found`)
  const data = new Map(
    Object.entries(secret?.data ?? {}).map(([key, value]): [string, Buffer] => [key, Buffer.from(value, 'base64')]),
  )
  return pick(data, items, optional, mode, 'references non-existent secret key: ')
}

function pick(
  data: ReadonlyMap<string, Buffer>,
  items: readonly KeyToPath[] | undefined,
  optional: boolean | undefined,
  mode: number,
  complaint: string,
): VolumeFile[] {
  if (items === undefined || items.length === 0) return [...data].map(([path, content]) => ({ path, content, mode }))
  return items.flatMap(item => {
    const content = data.get(item.key)
    if (content !== undefined) return [{ path: item.path, content, mode: item.mode ?? mode }]
    if (optional === true) return []
    throw new VolumeError(complaint + item.key)
  })
}

function downwardFiles(
  pod: Pod,
  items: readonly DownwardAPIVolumeFile[],
  mode: number,
  sources: VolumeSources,
): VolumeFile[] {
  return items.map(item => {
    const value =
      item.fieldRef === undefined
        ? resourceValue(pod, item.resourceFieldRef!, undefined, sources.node)
        : fieldValue(pod, item.fieldRef, sources.addresses)
    return { path: item.path, content: Buffer.from(value), mode: item.mode ?? mode }
  })
}

async function projectedFiles(
  pod: Pod,
  projected: ProjectedVolumeSource,
  sources: VolumeSources,
): Promise<VolumeFile[]> {
  const mode = projected.defaultMode ?? defaultMode
  const groups = await Promise.all(
    (projected.sources ?? []).map(async (source): Promise<VolumeFile[]> => {
      if (source.configMap !== undefined)
        return await configMapFiles(
          pod,
          source.configMap.name ?? '',
          source.configMap.items,
          source.configMap.optional,
          mode,
          sources,
        )
      if (source.secret !== undefined)
        return await secretFiles(
          pod,
          source.secret.name ?? '',
          source.secret.items,
          source.secret.optional,
          mode,
          sources,
        )
      if (source.downwardAPI !== undefined) return downwardFiles(pod, source.downwardAPI.items ?? [], mode, sources)
      if (source.serviceAccountToken === undefined) return []
      return [
        {
          path: source.serviceAccountToken.path,
          content: Buffer.from(await sources.token(source.serviceAccountToken)),
          mode: tokenMode(pod, mode),
        },
      ]
    }),
  )
  return groups.flat()
}

/** Tokens are for the container's user alone, unless a group is to read them. */
const tokenMode = (pod: Pod, mode: number): number => {
  if (pod.spec.securityContext?.fsGroup !== undefined) return 0o600
  const users = new Set(
    [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(
      container => container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser,
    ),
  )
  return users.size === 1 && !users.has(undefined) ? 0o600 : mode
}
