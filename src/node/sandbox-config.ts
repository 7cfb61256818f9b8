// What the runtime is told about a pod as a whole.
import type { ClusterNetwork } from '../api/cluster.ts'
import type { AppArmorProfile, Pod, SeccompProfile } from '../api/generated/models.ts'
import type { Namespaces, SandboxConfig, SecurityProfile } from '../cri/runtime.ts'
import type { DnsSettings } from '../lib/resolv-conf.ts'
import { dnsSettings, hostNameOf } from './name-resolution.ts'
import { allContainersOf, isHostNetwork } from './pod-facts.ts'

export const labelNames = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  container: 'io.kubernetes.container.name',
} as const

export interface SandboxSettings {
  readonly network: ClusterNetwork
  readonly hostDns: DnsSettings
  readonly logDirectory: string
  readonly cgroupParent: string
}

export function sandboxConfig(pod: Pod, attempt: number, settings: SandboxSettings): SandboxConfig {
  const security = pod.spec.securityContext ?? {}
  const seccomp = profileOf(security.seccompProfile)
  return {
    name: pod.metadata.name,
    uid: pod.metadata.uid,
    namespace: pod.metadata.namespace!,
    attempt,
    // With the host's network comes the host's name; runc refuses another.
    hostname: isHostNetwork(pod) ? '' : hostNameOf(pod, settings.network.domain).hostname,
    logDirectory: settings.logDirectory,
    dns: dnsSettings(pod, settings.network, settings.hostDns),
    portMappings: [],
    labels: {
      ...pod.metadata.labels,
      [labelNames.podName]: pod.metadata.name,
      [labelNames.podNamespace]: pod.metadata.namespace!,
      [labelNames.podUid]: pod.metadata.uid,
    },
    annotations: pod.metadata.annotations ?? {},
    cgroupParent: settings.cgroupParent,
    sysctls: Object.fromEntries((security.sysctls ?? []).map(({ name, value }) => [name, value])),
    namespaces: podNamespaces(pod),
    privileged: allContainersOf(pod).some(container => container.securityContext?.privileged === true),
    ...(security.runAsUser !== undefined && { runAsUser: Number(security.runAsUser) }),
    ...(security.runAsGroup !== undefined && { runAsGroup: Number(security.runAsGroup) }),
    supplementalGroups: supplementalGroups(pod),
    ...(seccomp && { seccomp }),
  }
}

export function podNamespaces(pod: Pod): Namespaces {
  const pid = pod.spec.shareProcessNamespace === true ? 'pod' : 'container'
  return {
    network: isHostNetwork(pod) ? 'node' : 'pod',
    pid: pod.spec.hostPID === true ? 'node' : pid,
    ipc: pod.spec.hostIPC === true ? 'node' : 'pod',
  }
}

export function supplementalGroups(pod: Pod): number[] {
  const { fsGroup, supplementalGroups: groups = [] } = pod.spec.securityContext ?? {}
  return (fsGroup === undefined ? groups : [...groups, fsGroup]).map(Number)
}

export function profileOf(profile: SeccompProfile | AppArmorProfile | undefined): SecurityProfile | undefined {
  if (profile === undefined) return undefined
  return {
    type: profile.type as SecurityProfile['type'],
    ...(profile.localhostProfile !== undefined && { localhostProfile: profile.localhostProfile }),
  }
}
