// Service: a stable address for changing pods. Addresses and node ports are handed out by the server;
// here they are defaulted, kept over updates and validated.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors } from '../field-error.ts'
import type { Service, ServicePort, ServiceSpec } from '../generated/models.ts'
import type { Cell } from '../kind.ts'
import { defineKind } from '../kind.ts'
import { formatLabels } from '../label-selector.ts'
import { services } from '../resources.ts'
import { hasClusterIP, hasNodePorts, validateService } from '../validation/service.ts'
import { sameJson } from '../validation/scalars.ts'
import { age, columns, none } from './cells.ts'
import { keepStatus, statusOnly } from './strategy.ts'

export const serviceKind = defineKind({
  resource: services,
  model: 'V1Service',
  singular: 'service',
  shortNames: ['svc'],
  categories: ['all'],
  nameRule: 'label-1035',
  connects: [{ name: 'proxy', kind: 'ServiceProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] }],
  defaults(draft) {
    draft.spec ??= {}
    defaultSpec(draft.spec)
    draft.status ??= {}
    draft.status.loadBalancer ??= {}
  },
  prepareForCreate(draft) {
    draft.status = { loadBalancer: {} }
    if (draft.spec.clusterIP && draft.spec.clusterIPs === undefined) draft.spec.clusterIPs = [draft.spec.clusterIP]
    defaultFamilies(draft.spec)
  },
  prepareForUpdate(draft, old) {
    keepStatus(draft, old)
    keepAllocated(draft.spec, old.spec)
    dropUnfitting(draft.spec, old.spec)
    defaultFamilies(draft.spec)
  },
  subresources: statusOnly(),
  validate: validateService,
  validateUpdate: (service, old) => joinErrors(validateAddressKept(service.spec, old.spec), validateService(service)),
  columns: columns('Name', 'Type', 'Cluster-IP', 'External-IP', 'Port(s)', 'Age', 'Selector*'),
  row,
  selectableFields: {
    'spec.clusterIP': ({ spec }) => spec.clusterIP ?? '',
    'spec.type': ({ spec }) => spec.type ?? '',
  },
})

function defaultSpec(spec: ServiceSpec): void {
  spec.type ||= 'ClusterIP'
  spec.sessionAffinity ||= 'None'
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig
  else if (spec.sessionAffinity === 'ClientIP')
    spec.sessionAffinityConfig = {
      clientIP: { timeoutSeconds: spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800 },
    }
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP'
    if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === '') port.targetPort = port.port
    if (port.nodePort === 0) delete port.nodePort
  }
  if (hasNodePorts(spec)) spec.externalTrafficPolicy ||= 'Cluster'
  if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ??= 'Cluster'
  if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true
}

function defaultFamilies(spec: ServiceSpec): void {
  if (spec.type === 'ExternalName') return
  spec.ipFamilyPolicy ||= 'SingleStack'
  spec.ipFamilies ??= [spec.clusterIPs?.[0]?.includes(':') ? 'IPv6' : 'IPv4']
}

/** A client that leaves out what was allocated means: as before. */
function keepAllocated(spec: ServiceSpec, old: ServiceSpec): void {
  if (hasClusterIP(spec) && hasClusterIP(old)) {
    if (!spec.clusterIP) spec.clusterIP = old.clusterIP
    if (spec.clusterIPs === undefined || spec.clusterIPs.length === 0) spec.clusterIPs = old.clusterIPs
    spec.ipFamilies ??= old.ipFamilies
    spec.ipFamilyPolicy ??= old.ipFamilyPolicy
  }
  // Whoever changes the one address alone means the list too.
  if (spec.clusterIP && spec.clusterIP !== old.clusterIP && sameJson(spec.clusterIPs, old.clusterIPs))
    spec.clusterIPs = [spec.clusterIP]
  if (!hasNodePorts(spec) || !hasNodePorts(old)) return
  keepNodePorts(spec.ports ?? [], old.ports ?? [])
  if (spec.externalTrafficPolicy === 'Local' && old.externalTrafficPolicy === 'Local')
    spec.healthCheckNodePort ??= old.healthCheckNodePort
}

/** By the port's name: everything else of it may have changed. What another port has now stays there. */
function keepNodePorts(ports: readonly ServicePort[], old: readonly ServicePort[]): void {
  const taken = new Set(ports.map(port => port.nodePort))
  const before = new Map(old.map(port => [port.name, port.nodePort]))
  for (const port of ports) {
    const kept = before.get(port.name)
    if (!port.nodePort && kept !== undefined && !taken.has(kept)) port.nodePort = kept
  }
}

/** When the type changes, what only fitted the old type goes, unless the client changed it too. */
function dropUnfitting(spec: ServiceSpec, old: ServiceSpec): void {
  if (hasClusterIP(old) && !hasClusterIP(spec) && spec.clusterIP === old.clusterIP) {
    for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'internalTrafficPolicy'] as const)
      delete spec[field]
  }
  if (hasNodePorts(old) && !hasNodePorts(spec)) {
    // Ports that came or went say nothing about those that stay; a number that is new is meant.
    const before = new Set(old.ports?.map(port => port.nodePort))
    if (spec.ports?.every(({ nodePort }) => !nodePort || before.has(nodePort)))
      for (const port of spec.ports ?? []) delete port.nodePort
    if (spec.externalTrafficPolicy === old.externalTrafficPolicy) delete spec.externalTrafficPolicy
    if (spec.healthCheckNodePort === old.healthCheckNodePort) delete spec.healthCheckNodePort
  }
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    delete spec.allocateLoadBalancerNodePorts
    if (spec.loadBalancerClass === old.loadBalancerClass) delete spec.loadBalancerClass
  }
}

function validateAddressKept(spec: ServiceSpec, old: ServiceSpec): FieldError[] {
  const before = old.clusterIPs?.[0] ?? old.clusterIP
  if (!before || !hasClusterIP(spec) || !hasClusterIP(old)) return []
  if (!spec.clusterIP)
    return [invalidValue('spec.clusterIPs[0]', spec.clusterIPs ?? [], 'primary clusterIP can not be unset')]
  return spec.clusterIP === before
    ? []
    : [invalidValue('spec.clusterIPs[0]', spec.clusterIPs ?? [spec.clusterIP], 'may not change once set')]
}

function row(service: Service, nowMs: number): Cell[] {
  const { spec, metadata } = service
  return [
    metadata.name,
    spec.type ?? '',
    spec.clusterIP || none,
    externalCell(service),
    portsCell(spec),
    age(service, nowMs),
    formatLabels(spec.selector),
  ]
}

function externalCell({ spec, status }: Service): string {
  const external = spec.externalIPs ?? []
  if (spec.type === 'ExternalName') return spec.externalName ?? ''
  if (spec.type !== 'LoadBalancer') return external.join(',') || none
  const balanced = (status?.loadBalancer?.ingress ?? []).map(ingress => ingress.ip || ingress.hostname || '')
  return [...balanced, ...external].join(',') || '<pending>'
}

function portsCell({ ports = [] }: ServiceSpec): string {
  return (
    ports.map(({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol}`).join(',') ||
    none
  )
}
