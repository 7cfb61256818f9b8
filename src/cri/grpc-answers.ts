// From CRI's messages to the runtime interface's plain objects.
import { containerStates, namespaceMode, sandboxReady } from './cri-wire.ts'
import type {
  ContainerStats,
  ContainerStatus,
  ContainerSummary,
  ImageSummary,
  Labels,
  NamespaceMode,
  Namespaces,
  SandboxStatus,
  SandboxSummary,
} from './runtime.ts'

export type Message = Record<string, unknown>

const milliseconds = (nanoseconds: unknown): number => Math.floor((nanoseconds as number) / 1e6)

export function sandboxSummaryOf(message: Message): SandboxSummary {
  const metadata = message['metadata'] as { name: string; uid: string; namespace: string; attempt: number }
  return {
    id: message['id'] as string,
    name: metadata.name,
    uid: metadata.uid,
    namespace: metadata.namespace,
    attempt: metadata.attempt,
    ready: message['state'] === sandboxReady,
    createdAtMs: milliseconds(message['createdAt']),
    labels: message['labels'] as Labels,
    annotations: message['annotations'] as Labels,
  }
}

export function sandboxStatusOf(message: Message): SandboxStatus {
  const network = message['network'] as { ip: string } | null
  const linux = message['linux'] as { namespaces: { options: Record<string, number> | null } | null } | null
  const options = linux?.namespaces?.options ?? {}
  return {
    ...sandboxSummaryOf(message),
    ...(network !== null && network.ip !== '' && { address: network.ip }),
    namespaces: {
      network: modeOf(options['network']),
      pid: modeOf(options['pid']),
      ipc: modeOf(options['ipc']),
    } satisfies Namespaces,
  }
}

function modeOf(value: number | undefined): NamespaceMode {
  if (value === namespaceMode.node) return 'node'
  return value === namespaceMode.container ? 'container' : 'pod'
}

export function containerSummaryOf(message: Message): ContainerSummary {
  const metadata = message['metadata'] as { name: string; attempt: number }
  return {
    id: message['id'] as string,
    sandboxId: (message['podSandboxId'] as string | undefined) ?? '',
    name: metadata.name,
    attempt: metadata.attempt,
    state: containerStates[message['state'] as number] ?? 'unknown',
    createdAtMs: milliseconds(message['createdAt']),
    labels: message['labels'] as Labels,
    annotations: message['annotations'] as Labels,
  }
}

export function containerStatusOf(message: Message): ContainerStatus {
  return {
    ...containerSummaryOf(message),
    startedAtMs: milliseconds(message['startedAt']),
    finishedAtMs: milliseconds(message['finishedAt']),
    exitCode: message['exitCode'] as number,
    reason: message['reason'] as string,
    message: message['message'] as string,
    image: (message['image'] as { image: string } | null)?.image ?? '',
    imageRef: message['imageRef'] as string,
    logPath: message['logPath'] as string,
  }
}

export function imageOf(message: Message): ImageSummary {
  const user = message['uid'] as { value: number } | null
  return {
    id: message['id'] as string,
    tags: message['repoTags'] as string[],
    digests: message['repoDigests'] as string[],
    sizeBytes: message['size'] as number,
    ...(user !== null && { userId: user.value }),
    ...(message['username'] !== '' && { userName: message['username'] as string }),
  }
}

export function containerStatsOf(message: Message): ContainerStats {
  const attributes = message['attributes'] as { id: string; metadata: { name: string }; labels: Labels }
  const cpu = message['cpu'] as Message | null
  const memory = message['memory'] as Message | null
  return {
    containerId: attributes.id,
    name: attributes.metadata.name,
    labels: attributes.labels,
    timestampMs: milliseconds(cpu?.['timestamp'] ?? 0),
    cpuUsageNanoSeconds: boxed(cpu, 'usageCoreNanoSeconds'),
    memoryWorkingSetBytes: boxed(memory, 'workingSetBytes'),
    memoryUsageBytes: boxed(memory, 'usageBytes'),
    memoryRssBytes: boxed(memory, 'rssBytes'),
    writableLayerBytes: boxed(message['writableLayer'] as Message | null, 'usedBytes'),
  }
}

/** Protobuf's wrapper types tell absent from zero; here both are zero. */
const boxed = (message: Message | null, field: string): number =>
  (message?.[field] as { value: number } | null | undefined)?.value ?? 0
