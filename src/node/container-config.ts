// What the runtime is told about one container. Pure: paths, environment and image are given.
import type { Int64 } from '../lib/int64.ts'
import type { Container, Pod } from '../api/generated/models.ts'
import type { ContainerConfig, ContainerResources, ContainerSecurity, ImageSummary, Mount } from '../cri/runtime.ts'
import { appArmorOf } from './app-armor.ts'
import { endingAnnotations } from './container-records.ts'
import { ConfigError } from './environment.ts'
import { expand } from './expand.ts'
import { imageAnnotation } from './plan.ts'
import { isHostNetwork } from './pod-facts.ts'
import { labelNames, podNamespaces, profileOf, supplementalGroups } from './sandbox-config.ts'
import type { EnvironmentVariable } from './service-environment.ts'

export interface ContainerSettings {
  readonly attempt: number
  readonly image: ImageSummary
  readonly environment: readonly EnvironmentVariable[]
  readonly volumeMounts: readonly Mount[]
  readonly resources: ContainerResources
  readonly hostsFile: string
  readonly terminationMessageFile: string
  /** The running container whose processes an ephemeral container shares. */
  readonly targetId?: string
}

/** @throws ConfigError */
export function containerConfig(pod: Pod, container: Container, settings: ContainerSettings): ContainerConfig {
  const values = new Map(settings.environment.map(({ name, value }) => [name, value]))
  const expanded = (words: readonly string[] | undefined): string[] =>
    (words ?? []).map(word => expand(word, name => values.get(name)))
  const { attempt } = settings
  return {
    name: container.name,
    attempt,
    image: settings.image.id,
    command: expanded(container.command),
    args: expanded(container.args),
    workingDirectory: container.workingDir ?? '',
    environment: settings.environment,
    mounts: [...settings.volumeMounts, ...ownMounts(pod, container, settings)],
    labels: {
      [labelNames.podName]: pod.metadata.name,
      [labelNames.podNamespace]: pod.metadata.namespace!,
      [labelNames.podUid]: pod.metadata.uid,
      [labelNames.container]: container.name,
    },
    annotations: {
      [imageAnnotation]: container.image ?? '',
      'io.kubernetes.container.restartCount': String(attempt),
      'io.kubernetes.container.terminationMessagePath': container.terminationMessagePath ?? '/dev/termination-log',
      'io.kubernetes.container.terminationMessagePolicy': container.terminationMessagePolicy ?? 'File',
      ...endingAnnotations(pod, container),
    },
    logPath: `${container.name}/${attempt}.log`,
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    resources: settings.resources,
    security: securityOf(pod, container, settings),
  }
}

function ownMounts(pod: Pod, container: Container, settings: ContainerSettings): Mount[] {
  const mounted = new Set((container.volumeMounts ?? []).map(mount => mount.mountPath))
  const terminationPath = container.terminationMessagePath ?? '/dev/termination-log'
  return [
    ...(mounted.has('/etc/hosts') || (isHostNetwork(pod) && settings.hostsFile === '')
      ? []
      : [{ containerPath: '/etc/hosts', hostPath: settings.hostsFile, readOnly: false }]),
    { containerPath: terminationPath, hostPath: settings.terminationMessageFile, readOnly: false },
  ]
}

function securityOf(pod: Pod, container: Container, { image, targetId }: ContainerSettings): ContainerSecurity {
  const shared = pod.spec.securityContext ?? {}
  const own = container.securityContext ?? {}
  const runAsUser = own.runAsUser ?? shared.runAsUser
  const runAsGroup = own.runAsGroup ?? shared.runAsGroup
  if (own.runAsNonRoot ?? shared.runAsNonRoot ?? false) checkNonRoot(pod, container, image, runAsUser)
  const seccomp = profileOf(own.seccompProfile ?? shared.seccompProfile)
  const appArmor = profileOf(appArmorOf(pod, container))
  return {
    privileged: own.privileged ?? false,
    addCapabilities: own.capabilities?.add ?? [],
    dropCapabilities: own.capabilities?.drop ?? [],
    ...(runAsUser !== undefined && { runAsUser: Number(runAsUser) }),
    ...(runAsGroup !== undefined && { runAsGroup: Number(runAsGroup) }),
    readOnlyRootFilesystem: own.readOnlyRootFilesystem ?? false,
    supplementalGroups: supplementalGroups(pod),
    noNewPrivileges: own.allowPrivilegeEscalation === false,
    unmaskedProc: own.privileged === true || own.procMount === 'Unmasked',
    namespaces: targetId === undefined ? podNamespaces(pod) : { ...podNamespaces(pod), pid: 'target', targetId },
    ...(seccomp && { seccomp }),
    ...(appArmor && { appArmor }),
  }
}

function checkNonRoot(pod: Pod, container: Container, image: ImageSummary, runAsUser: Int64 | undefined): void {
  const where = `(pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`
  if (runAsUser !== undefined) {
    if (runAsUser === 0) throw new ConfigError(`container's runAsUser breaks non-root policy ${where}`)
    return
  }
  if (image.userName !== undefined)
    throw new ConfigError(
      `container has runAsNonRoot and image has non-numeric user (${image.userName}), cannot verify user is non-root ${where}`,
    )
  if (image.userId === undefined || image.userId === 0)
    throw new ConfigError(`container has runAsNonRoot and image will run as root ${where}`)
}
