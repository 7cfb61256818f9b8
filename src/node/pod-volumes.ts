// A pod's volumes on disk: made before its containers start, kept up to date while they run, taken away
// afterwards. ConfigMap, Secret, downward API and projected volumes consist of files; empty directories,
// paths of the host and what is behind claims are directories.
import { chmod, chown, lstat, mkdir, realpath, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Pod, ServiceAccountTokenProjection, Volume } from '../api/generated/models.ts'
import { claimNameOf } from '../api/persistent-storage.ts'
import { wholeValue } from '../api/quantity.ts'
import type { Client } from '../client/client.ts'
import { isMountPoint, mountTmpfs, unmountBelow } from '../host/mounts.ts'
import type { Clock } from '../lib/clock.ts'
import { writeAtomically } from './atomic-directory.ts'
import { claimedVolume, MountFailure } from './claimed-volume.ts'
import type { NodeCapacity } from './downward-api.ts'
import { hostPath } from './host-path.ts'
import type { ObjectSource } from './object-source.ts'
import type { PodDirectories } from './pod-directories.ts'
import type { TokenSource } from './token-source.ts'
import { VolumeError, volumeFiles, type VolumeSources } from './volume-files.ts'

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

  /** Volume name → path on the host. @throws VolumeError, MountFailure */
  async prepare(pod: Pod): Promise<ReadonlyMap<string, string>> {
    await mkdir(this.directories.volumes, { recursive: true, mode: 0o750 })
    this.renewAtMs = Infinity
    const paths = await Promise.all(
      (pod.spec.volumes ?? []).map(
        async volume =>
          [
            volume.name,
            await this.prepareOne(pod, volume).catch((error: unknown) => {
              throw error instanceof MountFailure
                ? error
                : new VolumeError(`MountVolume.SetUp failed for volume "${volume.name}" : ${(error as Error).message}`)
            }),
          ] as const,
      ),
    )
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
    if (claimNameOf(pod, volume) !== undefined)
      return await claimedVolume(pod, volume, this.dependencies.client, this.directories)
    throw new VolumeError(
      `volume "${volume.name}" is of a kind that this node does not offer; it offers configMap, secret, downwardAPI, projected, emptyDir, hostPath, persistentVolumeClaim and ephemeral`,
    )
  }

  private async writeFiles(pod: Pod, volume: Volume): Promise<string | undefined> {
    const files = await volumeFiles(pod, volume, this.sourcesFor(pod))
    if (files === undefined) return undefined
    const directory = this.directories.volume(pluginOf(volume), volume.name)
    await mkdir(directory, { recursive: true })
    await chmod(directory, 0o755)
    this.writes += 1
    const group = pod.spec.securityContext?.fsGroup
    await writeAtomically(
      directory,
      files,
      `${this.dependencies.clock.now()}.${this.writes}`,
      group === undefined ? {} : { group: Number(group) },
    )
    return directory
  }

  private sourcesFor(pod: Pod): VolumeSources {
    const { objects, tokens, node } = this.dependencies
    const namespace = pod.metadata.namespace!
    return {
      configMap: name => objects.configMap(namespace, name),
      secret: name => objects.secret(namespace, name),
      token: async projection => await this.token(pod, projection, tokens),
      addresses: noAddresses,
      node,
    }
  }

  private async token(pod: Pod, projection: ServiceAccountTokenProjection, tokens: TokenSource): Promise<string> {
    const { token, renewAtMs } = await tokens.tokenFor(pod, projection)
    this.renewAtMs = Math.min(this.renewAtMs, renewAtMs)
    return token
  }

  private async emptyDirectory(pod: Pod, volume: Volume): Promise<string> {
    const directory = this.directories.volume('empty-dir', volume.name)
    const isInMemory = volume.emptyDir?.medium === 'Memory'
    // Memory forgets: after a stop of the node its directory is there and nothing is mounted on it.
    const exists = isInMemory
      ? await isMountPoint(directory)
      : await stat(directory).then(
          () => true,
          () => false,
        )
    if (exists) return directory
    await mkdir(directory, { recursive: true })
    if (isInMemory) {
      const sizeBytes = wholeValue(volume.emptyDir?.sizeLimit)
      await mountTmpfs(directory, sizeBytes === 0 ? {} : { sizeBytes })
    }
    const group = pod.spec.securityContext?.fsGroup
    if (group !== undefined) await chown(directory, 0, Number(group))
    await chmod(directory, group === undefined ? 0o777 : 0o2777)
    return directory
  }
}

function pluginOf(volume: Volume): string {
  if (volume.configMap !== undefined) return 'configmap'
  if (volume.secret !== undefined) return 'secret'
  return volume.downwardAPI === undefined ? 'projected' : 'downward-api'
}

/** The file or directory below a volume that `subPath` names; a missing directory is made, as open as the volume itself. @throws VolumeError when it would lead outside */
export async function subPathOf(volumePath: string, subPath: string, isFileVolume: boolean): Promise<string> {
  if (subPath.startsWith('/') || subPath.split('/').includes('..'))
    throw new VolumeError(`subPath "${subPath}" must not contain ".." or start with "/"`)
  const path = join(volumePath, subPath)
  const present = await deepestPresent(path)
  await within(volumePath, present)
  if (present !== path && !isFileVolume) {
    const { mode } = await stat(volumePath)
    await mkdir(path, { recursive: true, mode: mode & 0o777 })
    await chmod(path, mode & 0o777)
  }
  return await within(volumePath, path)
}

/** The path itself, or what there is of it: a link on the way must not lead outside before anything is made. */
async function deepestPresent(path: string): Promise<string> {
  const exists = await lstat(path).then(
    () => true,
    () => false,
  )
  return exists ? path : deepestPresent(dirname(path))
}

async function within(volumePath: string, path: string): Promise<string> {
  const [root, real] = await Promise.all([realpath(volumePath), realpath(path).catch(() => undefined)])
  if (real === undefined) throw new VolumeError(`subPath leads to nothing: ${path}`)
  if (real !== root && !real.startsWith(`${root}/`))
    throw new VolumeError(`subPath leads outside of its volume: ${path}`)
  return real
}
