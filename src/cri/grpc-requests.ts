// From the runtime interface's plain objects to CRI's messages.
import { mountPropagation, namespaceMode, protocols, securityProfile } from './cri-wire.ts'
import type { ContainerConfig, ContainerResources, Namespaces, SandboxConfig, SecurityProfile } from './runtime.ts'

const namespaceOption = (namespaces: Namespaces): object => ({
  network: namespaceMode[namespaces.network],
  pid: namespaceMode[namespaces.pid],
  ipc: namespaceMode[namespaces.ipc],
  targetId: namespaces.targetId ?? '',
})

const int64 = (value: number | undefined): object | undefined => (value === undefined ? undefined : { value })

function seccompMessage(profile: SecurityProfile | undefined, privileged: boolean): object {
  if (profile === undefined || privileged) return { profileType: securityProfile.Unconfined }
  return profileMessage(profile)
}

const profileMessage = ({ type, localhostProfile = '' }: SecurityProfile): object => ({
  profileType: securityProfile[type],
  localhostRef: localhostProfile,
})

/** In the old form as well, for runtimes that know no other. */
function appArmorMessage(profile: SecurityProfile | undefined): object {
  if (profile === undefined) return {}
  const names = {
    RuntimeDefault: 'runtime/default',
    Unconfined: 'unconfined',
    Localhost: `localhost/${profile.localhostProfile}`,
  }
  return { apparmor: profileMessage(profile), apparmorProfile: names[profile.type] }
}

export function sandboxConfigMessage(config: SandboxConfig): object {
  return {
    metadata: { name: config.name, uid: config.uid, namespace: config.namespace, attempt: config.attempt },
    hostname: config.hostname,
    logDirectory: config.logDirectory,
    dnsConfig: config.dns,
    portMappings: config.portMappings.map(mapping => ({ ...mapping, protocol: protocols[mapping.protocol] })),
    labels: config.labels,
    annotations: config.annotations,
    linux: {
      cgroupParent: config.cgroupParent,
      sysctls: config.sysctls,
      securityContext: {
        namespaceOptions: namespaceOption(config.namespaces),
        runAsUser: int64(config.runAsUser),
        runAsGroup: int64(config.runAsGroup),
        supplementalGroups: config.supplementalGroups,
        privileged: config.privileged,
        seccomp: seccompMessage(config.seccomp ?? { type: 'RuntimeDefault' }, config.privileged),
      },
    },
  }
}

export function containerConfigMessage(config: ContainerConfig): object {
  const { security } = config
  return {
    metadata: { name: config.name, attempt: config.attempt },
    image: { image: config.image },
    command: config.command,
    args: config.args,
    workingDir: config.workingDirectory,
    envs: config.environment.map(({ name, value }) => ({ key: name, value })),
    mounts: config.mounts.map(mount => ({
      containerPath: mount.containerPath,
      hostPath: mount.hostPath,
      readonly: mount.readOnly,
      propagation: mountPropagation[mount.propagation ?? 'None'],
    })),
    labels: config.labels,
    annotations: config.annotations,
    logPath: config.logPath,
    stdin: config.stdin,
    stdinOnce: config.stdinOnce,
    tty: config.tty,
    linux: {
      resources: resourcesMessage(config.resources),
      securityContext: {
        capabilities: { addCapabilities: security.addCapabilities, dropCapabilities: security.dropCapabilities },
        privileged: security.privileged,
        namespaceOptions: namespaceOption(security.namespaces),
        runAsUser: int64(security.runAsUser),
        runAsGroup: int64(security.runAsGroup),
        readonlyRootfs: security.readOnlyRootFilesystem,
        supplementalGroups: security.supplementalGroups,
        noNewPrivs: security.noNewPrivileges,
        maskedPaths: security.unmaskedProc ? [] : maskedPaths,
        readonlyPaths: security.unmaskedProc ? [] : readOnlyPaths,
        seccomp: seccompMessage(security.seccomp, security.privileged),
        ...appArmorMessage(security.appArmor),
      },
    },
  }
}

export function resourcesMessage(resources: ContainerResources): object {
  return {
    cpuPeriod: resources.cpuPeriod ?? 0,
    cpuQuota: resources.cpuQuota ?? 0,
    cpuShares: resources.cpuShares ?? 0,
    memoryLimitInBytes: resources.memoryLimitBytes ?? 0,
    oomScoreAdj: resources.oomScoreAdjust ?? 0,
    ...(resources.unified !== undefined && { unified: resources.unified }),
  }
}

// What of /proc and /sys containers may not see or change, as Kubernetes asks of every runtime.
const maskedPaths = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
]
const readOnlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']
