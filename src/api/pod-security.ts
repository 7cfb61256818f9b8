// The Pod Security Standards: what a pod must not do at the levels `baseline` and `restricted`.
// Pure; each finding is one check's sentence. Source: the standards as Kubernetes documents them.
import type { Container, Pod, PodSpec, SecurityContext } from './generated/models.ts'

export type SecurityLevel = 'baseline' | 'privileged' | 'restricted'

export interface SecurityFinding {
  /** `host namespaces` */
  readonly check: string
  /** `hostNetwork=true` */
  readonly detail: string
}

interface Named {
  readonly name: string
  readonly securityContext?: SecurityContext
  readonly ports?: Container['ports']
}
interface Subject {
  readonly spec: PodSpec
  readonly annotations: Readonly<Record<string, string>>
  readonly containers: readonly Named[]
}
type Check = (subject: Subject) => SecurityFinding[]

const baselineCapabilities = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
])
/** Those that concern nobody but the pod. */
export const safeSysctls: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
])
const seLinuxTypes = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'])
const restrictedVolumes = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
  'name',
])
const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/'

const list = (names: readonly string[]): string => names.map(name => JSON.stringify(name)).join(', ')
const noun = (names: readonly unknown[], one: string): string => (names.length === 1 ? one : `${one}s`)
const inContainers = (names: readonly string[]): string => `${noun(names, 'container')} ${list(names)}`

function ofContainers(
  check: string,
  subject: Subject,
  bad: (container: Named) => boolean,
  must: string,
): SecurityFinding[] {
  const names = subject.containers.filter(bad).map(container => container.name)
  return names.length === 0 ? [] : [{ check, detail: `${inContainers(names)} must ${must}` }]
}

const baseline: readonly Check[] = [
  ({ spec }) => {
    const set = (['hostNetwork', 'hostPID', 'hostIPC'] as const)
      .filter(name => spec[name] === true)
      .map(name => `${name}=true`)
    return set.length === 0 ? [] : [{ check: 'host namespaces', detail: set.join(', ') }]
  },
  subject =>
    ofContainers(
      'privileged',
      subject,
      container => container.securityContext?.privileged === true,
      'not set securityContext.privileged=true',
    ),
  subject =>
    ofContainers(
      'non-default capabilities',
      subject,
      container => (container.securityContext?.capabilities?.add ?? []).some(name => !baselineCapabilities.has(name)),
      `not include ${list([...new Set(subject.containers.flatMap(container => container.securityContext?.capabilities?.add ?? []).filter(name => !baselineCapabilities.has(name)))].sort())} in securityContext.capabilities.add`,
    ),
  ({ spec }) => {
    const names = (spec.volumes ?? []).filter(volume => volume.hostPath !== undefined).map(volume => volume.name)
    return names.length === 0 ? [] : [{ check: 'hostPath volumes', detail: `${noun(names, 'volume')} ${list(names)}` }]
  },
  ({ containers }) => {
    const open = containers.filter(container => (container.ports ?? []).some(port => (port.hostPort ?? 0) !== 0))
    const ports = [
      ...new Set(
        open.flatMap(container => (container.ports ?? []).map(port => port.hostPort ?? 0).filter(port => port !== 0)),
      ),
    ].sort((a, b) => a - b)
    return open.length === 0
      ? []
      : [
          {
            check: 'hostPort',
            detail: `${inContainers(open.map(container => container.name))} ${open.length === 1 ? 'uses' : 'use'} ${noun(ports, 'hostPort')} ${ports.join(', ')}`,
          },
        ]
  },
  ({ spec, containers, annotations }) => {
    const bad = [spec.securityContext, ...containers.map(container => container.securityContext)].some(
      context => context?.appArmorProfile?.type === 'Unconfined',
    )
    const marked = Object.entries(annotations).filter(
      ([key, value]) =>
        key.startsWith(appArmorPrefix) &&
        value !== '' &&
        value !== 'runtime/default' &&
        !value.startsWith('localhost/'),
    )
    return bad || marked.length > 0
      ? [
          {
            check: 'forbidden AppArmor profile',
            detail:
              marked.length > 0
                ? marked.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(', ')
                : 'appArmorProfile.type must not be set to "Unconfined"',
          },
        ]
      : []
  },
  ({ spec, containers }) => {
    const options = [
      spec.securityContext?.seLinuxOptions,
      ...containers.map(container => container.securityContext?.seLinuxOptions),
    ].filter(one => one !== undefined)
    const bad = options.some(
      one => !seLinuxTypes.has(one.type ?? '') || (one.user ?? '') !== '' || (one.role ?? '') !== '',
    )
    return bad
      ? [{ check: 'seLinuxOptions', detail: 'pod or containers set forbidden securityContext.seLinuxOptions' }]
      : []
  },
  subject =>
    ofContainers(
      'procMount',
      subject,
      container => (container.securityContext?.procMount ?? 'Default') !== 'Default',
      'not set securityContext.procMount',
    ),
  ({ spec, containers }) =>
    spec.securityContext?.seccompProfile?.type === 'Unconfined'
      ? [{ check: 'seccompProfile', detail: 'pod must not set securityContext.seccompProfile.type to "Unconfined"' }]
      : ofContainers(
          'seccompProfile',
          { spec, containers, annotations: {} },
          container => container.securityContext?.seccompProfile?.type === 'Unconfined',
          'not set securityContext.seccompProfile.type to "Unconfined"',
        ),
  ({ spec }) => {
    const names = (spec.securityContext?.sysctls ?? []).map(one => one.name).filter(name => !safeSysctls.has(name))
    return names.length === 0 ? [] : [{ check: 'forbidden sysctls', detail: names.join(', ') }]
  },
  ({ spec, containers }) => {
    const bad = [spec.securityContext, ...containers.map(container => container.securityContext)].some(
      context => context?.windowsOptions?.hostProcess === true,
    )
    return bad
      ? [
          {
            check: 'hostProcess',
            detail: 'pod or containers must not set securityContext.windowsOptions.hostProcess=true',
          },
        ]
      : []
  },
]

const isWindows = ({ spec }: Subject): boolean => spec.os?.name === 'windows'

const restricted: readonly Check[] = [
  ({ spec }) => {
    const bad = (spec.volumes ?? []).flatMap(volume =>
      Object.keys(volume)
        .filter(key => !restrictedVolumes.has(key))
        .map(type => ({ name: volume.name, type })),
    )
    const names = bad.map(({ name }) => name)
    return bad.length === 0
      ? []
      : [
          {
            check: 'restricted volume types',
            detail: `${noun(names, 'volume')} ${list(names)} ${bad.length === 1 ? 'uses' : 'use'} restricted volume ${noun([...new Set(bad.map(({ type }) => type))], 'type')} ${list([...new Set(bad.map(({ type }) => type))])}`,
          },
        ]
  },
  subject =>
    isWindows(subject)
      ? []
      : ofContainers(
          'allowPrivilegeEscalation != false',
          subject,
          container => container.securityContext?.allowPrivilegeEscalation !== false,
          'set securityContext.allowPrivilegeEscalation=false',
        ),
  subject => (isWindows(subject) ? [] : unrestrictedCapabilities(subject)),
  subject => {
    const { runAsNonRoot } = subject.spec.securityContext ?? {}
    const wrong = subject.containers
      .filter(container => container.securityContext?.runAsNonRoot === false)
      .map(container => container.name)
    if (wrong.length > 0)
      return [
        {
          check: 'runAsNonRoot != true',
          detail: `${inContainers(wrong)} must not set securityContext.runAsNonRoot=false`,
        },
      ]
    const silent = subject.containers
      .filter(container => container.securityContext?.runAsNonRoot === undefined)
      .map(container => container.name)
    return runAsNonRoot === true || silent.length === 0
      ? []
      : [
          {
            check: 'runAsNonRoot != true',
            detail: `pod or ${inContainers(silent)} must set securityContext.runAsNonRoot=true`,
          },
        ]
  },
  subject =>
    subject.spec.securityContext?.runAsUser === 0
      ? [{ check: 'runAsUser=0', detail: 'pod must not set runAsUser=0' }]
      : ofContainers(
          'runAsUser=0',
          subject,
          container => container.securityContext?.runAsUser === 0,
          'not set runAsUser=0',
        ),
  subject => {
    if (isWindows(subject)) return []
    const fine = (type: string | undefined): boolean => type === 'RuntimeDefault' || type === 'Localhost'
    if (fine(subject.spec.securityContext?.seccompProfile?.type)) return []
    const names = subject.containers
      .filter(container => !fine(container.securityContext?.seccompProfile?.type))
      .map(container => container.name)
    return names.length === 0
      ? []
      : [
          {
            check: 'seccompProfile',
            detail: `pod or ${inContainers(names)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
          },
        ]
  },
]

function unrestrictedCapabilities(subject: Subject): SecurityFinding[] {
  const keeps = subject.containers
    .filter(container => !(container.securityContext?.capabilities?.drop ?? []).includes('ALL'))
    .map(container => container.name)
  const adds = subject.containers.filter(container =>
    (container.securityContext?.capabilities?.add ?? []).some(name => name !== 'NET_BIND_SERVICE'),
  )
  const added = [
    ...new Set(
      adds
        .flatMap(container => container.securityContext?.capabilities?.add ?? [])
        .filter(name => name !== 'NET_BIND_SERVICE'),
    ),
  ].sort()
  const details = [
    ...(keeps.length === 0 ? [] : [`${inContainers(keeps)} must set securityContext.capabilities.drop=["ALL"]`]),
    ...(adds.length === 0
      ? []
      : [
          `${inContainers(adds.map(container => container.name))} must not include ${list(added)} in securityContext.capabilities.add`,
        ]),
  ]
  return details.length === 0 ? [] : [{ check: 'unrestricted capabilities', detail: details.join('; ') }]
}

/** What the pod does that the level forbids. */
export function securityFindings(
  {
    metadata,
    spec,
  }: Pick<Pod, 'spec'> & { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } },
  level: SecurityLevel,
): SecurityFinding[] {
  if (level === 'privileged') return []
  const containers = [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])]
  const subject: Subject = { spec, containers, annotations: metadata?.annotations ?? {} }
  const checks = level === 'baseline' ? baseline : [...baseline, ...restricted]
  return checks.flatMap(check => check(subject))
}

/** `violates PodSecurity "baseline:latest": privileged (container "c" must not ...)`, without the first words. */
export const formatFindings = (findings: readonly SecurityFinding[]): string =>
  findings.map(({ check, detail }) => `${check} (${detail})`).join(', ')
