// Gathers all that a container's configuration needs: its environment from ConfigMaps, Secrets and
// services, its mounts with sub-paths, and the file for its last words.
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { ConfigMap, Container, Pod, Secret, VolumeMount } from '../api/generated/models.ts'
import type { ContainerConfig, ImageSummary, Mount } from '../cri/runtime.ts'
import type { AgentContext } from './agent-context.ts'
import { cgroupResources } from './cgroup-resources.ts'
import { containerConfig } from './container-config.ts'
import { ConfigError, environmentOf } from './environment.ts'
import { expand } from './expand.ts'
import type { PodDirectories } from './pod-directories.ts'
import { subPathOf } from './pod-volumes.ts'
import { serviceEnvironment, visibleServices, type EnvironmentVariable } from './service-environment.ts'

export interface ContainerParts {
  readonly attempt: number
  readonly image: ImageSummary
  readonly directories: PodDirectories
  readonly volumePaths: ReadonlyMap<string, string>
  readonly podAddress: string
  readonly targetId?: string
}

/** @throws ConfigError */
export async function buildContainer(
  context: AgentContext,
  pod: Pod,
  container: Container,
  parts: ContainerParts,
): Promise<ContainerConfig> {
  const environment = await environmentFor(context, pod, container, parts.podAddress)
  const terminationMessageFile = parts.directories.terminationMessage(container.name, parts.attempt)
  const [volumeMounts] = await Promise.all([
    Promise.all((container.volumeMounts ?? []).map(mount => mountOf(pod, mount, environment, parts.volumePaths))),
    createMessageFile(terminationMessageFile),
  ])
  return containerConfig(pod, container, {
    attempt: parts.attempt,
    image: parts.image,
    environment,
    volumeMounts,
    resources: cgroupResources(pod, container, {
      memoryBytes: context.node.memoryBytes,
      cgroupVersion: context.cgroups.version,
    }),
    hostsFile: parts.directories.hostsFile,
    terminationMessageFile,
    ...(parts.targetId !== undefined && { targetId: parts.targetId }),
  })
}

async function environmentFor(
  context: AgentContext,
  pod: Pod,
  container: Container,
  podAddress: string,
): Promise<EnvironmentVariable[]> {
  const namespace = pod.metadata.namespace!
  const names = referencedNames(container)
  const configMaps = new Map<string, ConfigMap | undefined>()
  const secrets = new Map<string, Secret | undefined>()
  await Promise.all([
    ...names.configMaps.map(async name => configMaps.set(name, await context.objects.configMap(namespace, name))),
    ...names.secrets.map(async name => secrets.set(name, await context.objects.secret(namespace, name))),
  ])
  return environmentOf(pod, container, {
    configMap: name => configMaps.get(name),
    secret: name => secrets.get(name),
    services: serviceEnvironment(visibleServices(context.services(), namespace, pod.spec.enableServiceLinks ?? true)),
    addresses: { podAddress, hostAddress: context.network.nodeAddress },
    node: context.node,
  })
}

function referencedNames(container: Container): { configMaps: string[]; secrets: string[] } {
  const sources = container.envFrom ?? []
  const variables = (container.env ?? []).map(({ valueFrom }) => valueFrom)
  const named = (references: readonly ({ name?: string } | undefined)[]): string[] => [
    ...new Set(references.flatMap(reference => reference?.name ?? [])),
  ]
  return {
    configMaps: named([
      ...sources.map(({ configMapRef }) => configMapRef),
      ...variables.map(variable => variable?.configMapKeyRef),
    ]),
    secrets: named([
      ...sources.map(({ secretRef }) => secretRef),
      ...variables.map(variable => variable?.secretKeyRef),
    ]),
  }
}

async function mountOf(
  pod: Pod,
  mount: VolumeMount,
  environment: readonly EnvironmentVariable[],
  volumePaths: ReadonlyMap<string, string>,
): Promise<Mount> {
  const volumePath = volumePaths.get(mount.name)
  if (volumePath === undefined) throw new ConfigError(`cannot find volume "${mount.name}" to mount into container`)
  return {
    containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
    hostPath: await subPath(mount, environment, volumePath),
    readOnly: mount.readOnly === true || isReadOnly(pod, mount.name),
    propagation: (mount.mountPropagation ?? 'None') as 'None' | 'HostToContainer' | 'Bidirectional',
  }
}

/** A pod may have its claim read-only as a whole. */
const isReadOnly = ({ spec }: Pod, volumeName: string): boolean =>
  spec.volumes?.find(({ name }) => name === volumeName)?.persistentVolumeClaim?.readOnly === true

async function subPath(
  mount: VolumeMount,
  environment: readonly EnvironmentVariable[],
  volumePath: string,
): Promise<string> {
  const path =
    mount.subPathExpr === undefined || mount.subPathExpr === ''
      ? (mount.subPath ?? '')
      : expandStrictly(mount.subPathExpr, environment)
  if (path === '') return volumePath
  try {
    const isFile = await stat(volumePath).then(entry => entry.isFile())
    return await subPathOf(volumePath, path, isFile)
  } catch (error) {
    throw new ConfigError(`failed to prepare subPath for volumeMount "${mount.name}": ${(error as Error).message}`)
  }
}

function expandStrictly(expression: string, environment: readonly EnvironmentVariable[]): string {
  return expand(expression, name => {
    const value = environment.find(variable => variable.name === name)?.value
    if (value === undefined) throw new ConfigError(`missing value for "${name}"`)
    return value
  })
}

/** Writable by whatever user the container runs as. */
async function createMessageFile(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, '')
  await chmod(path, 0o666)
}
