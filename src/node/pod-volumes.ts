// A pod's volumes on disk: made before its containers start, kept up to date while they run, taken away
// afterwards. ConfigMap, Secret, downward API and projected volumes consist of files; empty directories,
// paths of the host and claims bound to local volumes are directories.
import { chmod, chown, lstat, mkdir, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { HostPathVolumeSource, PersistentVolume, PersistentVolumeClaim, Pod, ServiceAccountTokenProjection, Volume } from '../api/generated/models.ts'
import { isNotFound } from '../api/api-error.ts'
import { wholeValue } from '../api/quantity.ts'
import { resource } from '../api/resource.ts'
import type { Client } from '../client/client.ts'
import { mountTmpfs, unmountBelow } from '../host/mounts.ts'
import type { Clock } from '../lib/clock.ts'
import { writeAtomically } from './atomic-directory.ts'
import type { NodeCapacity } from './downward-api.ts'
import type { ObjectSource } from './object-source.ts'
import type { PodDirectories } from './pod-directories.ts'
import type { TokenSource } from './token-source.ts'
import { VolumeError, volumeFiles, type VolumeSources } from './volume-files.ts'

const persistentVolumeClaims = resource<PersistentVolumeClaim>('', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim')
const persistentVolumes = resource<PersistentVolume>('', 'v1', 'persistentvolumes', 'PersistentVolume', 'Cluster')

export interface VolumeDependencies {
  readonly client: Client
  readonly clock: Clock
  readonly objects: ObjectSource
  readonly tokens: TokenSource
  readonly node: NodeCapacity
}

const noAddresses = { podAddress: '', hostAddress: '' }

export class PodVolumes {
  private readonly directories: PodDirectories
  private readonly dependencies: VolumeDependencies
  private writes = 0
  /** When the next token is due to be renewed; Infinity when there is none. */
  renewAtMs = Infinity

  constructor(directories: PodDirectories, dependencies: VolumeDependencies) {
    this.directories = directories
    this.dependencies = dependencies
  }

  /** Volume name → path on the host. @throws VolumeError */
  async prepare(pod: Pod): Promise<ReadonlyMap<string, string>> {
    await mkdir(this.directories.volumes, { recursive: true, mode: 0o750 })
    this.renewAtMs = Infinity
    const paths = await Promise.all((pod.spec.volumes ?? []).map(async volume => [volume.name, await this.prepareOne(pod, volume).catch((error: unknown) => {
      throw new VolumeError(`MountVolume.SetUp failed for volume "${volume.name}" : ${(error as Error).message}`)
    })] as const))
    return new Map(paths)
  }

  /** Writes again what comes from objects and tokens. */
  async refresh(pod: Pod): Promise<void> {
    this.renewAtMs = Infinity
    await Promise.all((pod.spec.volumes ?? []).map(volume => this.writeFiles(pod, volume)))
  }

  async remove(): Promise<void> {
    await unmountBelow(this.directories.root)
    await rm(this.directories.root, { recursive: true, force: true })
  }

  private async prepareOne(pod: Pod, volume: Volume): Promise<string> {
    const files = await this.writeFiles(pod, volume)
    if (files !== undefined) return files
    if (volume.emptyDir !== undefined) return await this.emptyDirectory(pod, volume)
    if (volume.hostPath !== undefined) return await hostPath(volume.hostPath)
    if (volume.persistentVolumeClaim !== undefined) return await this.claim(pod, volume.persistentVolumeClaim.claimName)
    throw new VolumeError(`volume "${volume.name}" is of a kind that this node does not offer; it offers configMap, secret, downwardAPI, projected, emptyDir, hostPath and claims bound to local volumes`)
  }

  private async writeFiles(pod: Pod, volume: Volume): Promise<string | undefined> {
    const files = await volumeFiles(pod, volume, this.sourcesFor(pod))
    if (files === undefined) return undefined
    const directory = this.directories.volume(pluginOf(volume), volume.name)
    await mkdir(directory, { recursive: true })
    await chmod(directory, 0o755)
    this.writes += 1
    const group = pod.spec.securityContext?.fsGroup
    await writeAtomically(directory, files, `${this.dependencies.clock.now()}.${this.writes}`, group === undefined ? {} : { group })
    return directory
  }

  private sourcesFor(pod: Pod): VolumeSources {
    const { objects, tokens, node } = this.dependencies
    const namespace = pod.metadata.namespace!
    return {
      configMap: name => objects.configMap(namespace, name), secret: name => objects.secret(namespace, name),
      token: async projection => await this.token(pod, projection, tokens), addresses: noAddresses, node,
    }
  }

  private async token(pod: Pod, projection: ServiceAccountTokenProjection, tokens: TokenSource): Promise<string> {
    const { token, renewAtMs } = await tokens.tokenFor(pod, projection)
    this.renewAtMs = Math.min(this.renewAtMs, renewAtMs)
    return token
  }

  private async emptyDirectory(pod: Pod, volume: Volume): Promise<string> {
    const directory = this.directories.volume('empty-dir', volume.name)
    const exists = await stat(directory).then(() => true, () => false)
    if (exists) return directory
    await mkdir(directory, { recursive: true })
    if (volume.emptyDir?.medium === 'Memory') {
      const sizeBytes = wholeValue(volume.emptyDir.sizeLimit)
      await mountTmpfs(directory, sizeBytes === 0 ? {} : { sizeBytes })
    }
    const group = pod.spec.securityContext?.fsGroup
    if (group !== undefined) await chown(directory, 0, group)
    await chmod(directory, group === undefined ? 0o777 : 0o2777)
    return directory
  }

  private async claim(pod: Pod, name: string): Promise<string> {
    const { client } = this.dependencies
    try {
      const claim = await client.get(persistentVolumeClaims, { namespace: pod.metadata.namespace, name })
      if (claim.spec.volumeName === undefined || claim.spec.volumeName === '' || claim.status?.phase !== 'Bound') throw new VolumeError(`persistentvolumeclaim "${name}" is not bound`)
      const { spec } = await client.get(persistentVolumes, { name: claim.spec.volumeName })
      if (spec.hostPath !== undefined) return await hostPath(spec.hostPath)
      if (spec.local !== undefined) return spec.local.path
      throw new VolumeError(`persistentvolume "${claim.spec.volumeName}" is of a kind that this node does not offer; it offers hostPath and local`)
    } catch (error) {
      throw isNotFound(error) ? new VolumeError((error as Error).message) : error
    }
  }
}

function pluginOf(volume: Volume): string {
  if (volume.configMap !== undefined) return 'configmap'
  if (volume.secret !== undefined) return 'secret'
  return volume.downwardAPI === undefined ? 'projected' : 'downward-api'
}

const expectedTypes: Readonly<Record<string, (entry: Awaited<ReturnType<typeof lstat>>) => boolean>> = {
  Directory: entry => entry.isDirectory(), DirectoryOrCreate: entry => entry.isDirectory(), File: entry => entry.isFile(), FileOrCreate: entry => entry.isFile(),
  Socket: entry => entry.isSocket(), CharDevice: entry => entry.isCharacterDevice(), BlockDevice: entry => entry.isBlockDevice(),
}

async function hostPath({ path, type = '' }: HostPathVolumeSource): Promise<string> {
  const entry = await stat(path).catch(() => undefined)
  // Without a type nothing is checked; the runtime makes a missing directory, as with Kubernetes.
  if (entry === undefined && (type === '' || type === 'DirectoryOrCreate')) await mkdir(path, { recursive: true, mode: 0o755 })
  else if (entry === undefined && type === 'FileOrCreate') await writeFile(path, '', { mode: 0o644 })
  else if (entry === undefined || expectedTypes[type]?.(entry) === false) throw new VolumeError(`hostPath type check failed: ${path} is not a ${typeNames[type] ?? type}`)
  return path
}

const typeNames: Readonly<Record<string, string>> = {
  Directory: 'directory', DirectoryOrCreate: 'directory', File: 'file', FileOrCreate: 'file', Socket: 'socket file', CharDevice: 'character device', BlockDevice: 'block device',
}

/** The file or directory below a volume that `subPath` names. @throws VolumeError when it would lead outside */
export async function subPathOf(volumePath: string, subPath: string, isFileVolume: boolean): Promise<string> {
  if (subPath.startsWith('/') || subPath.split('/').includes('..')) throw new VolumeError(`subPath "${subPath}" must not contain ".." or start with "/"`)
  const path = join(volumePath, subPath)
  const exists = await lstat(path).then(() => true, () => false)
  if (!exists && !isFileVolume) await mkdir(path, { recursive: true, mode: 0o755 })
  return await within(volumePath, path)
}

async function within(volumePath: string, path: string): Promise<string> {
  const [root, real] = await Promise.all([realpath(volumePath), realpath(path).catch(() => path)])
  if (real !== root && !real.startsWith(`${root}/`)) throw new VolumeError(`subPath leads outside of its volume: ${path}`)
  return real
}
