// Node: a machine that runs pods. Its status belongs to the node agent, also at creation.
import type { FieldError } from '../field-error.ts'
import { duplicate, forbiddenField, joinErrors } from '../field-error.ts'
import type { Node, NodeSpec, Taint } from '../generated/models.ts'
import type { Cell } from '../kind.ts'
import { defineKind } from '../kind.ts'
import { canonicalizeResourceList } from '../quantity.ts'
import { nodes } from '../resources.ts'
import { checkLabelValue, checkQualifiedName } from '../validation/formats.ts'
import { collect, each, requireText, validateOneOf } from '../validation/scalars.ts'
import { age, columns, none, unknown } from './cells.ts'
import { keepStatus, statusOnly } from './strategy.ts'

const emptyInfo = {
  machineID: '',
  systemUUID: '',
  bootID: '',
  kernelVersion: '',
  osImage: '',
  containerRuntimeVersion: '',
  kubeletVersion: '',
  kubeProxyVersion: '',
  operatingSystem: '',
  architecture: '',
}

export const nodeKind = defineKind({
  resource: nodes,
  model: 'V1Node',
  singular: 'node',
  shortNames: ['no'],
  connects: [{ name: 'proxy', kind: 'NodeProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] }],
  defaults(draft) {
    draft.spec ??= {}
    draft.status ??= {}
    draft.status.daemonEndpoints ??= { kubeletEndpoint: { Port: 0 } }
    draft.status.nodeInfo ??= { ...emptyInfo }
    draft.status.allocatable ??= draft.status.capacity && { ...draft.status.capacity }
    canonicalizeResourceList(draft.status.capacity)
    canonicalizeResourceList(draft.status.allocatable)
  },
  prepareForUpdate: keepStatus,
  subresources: statusOnly(),
  validate: node => validateTaints(node.spec.taints),
  validateUpdate: (node, old) => joinErrors(validateTaints(node.spec.taints), validateKept(node.spec, old.spec)),
  columns: columns(
    'Name',
    'Status',
    'Roles',
    'Age',
    'Version',
    'Internal-IP*',
    'External-IP*',
    'OS-Image*',
    'Kernel-Version*',
    'Container-Runtime*',
  ),
  row: nodeRow,
  selectableFields: {
    'spec.unschedulable': node => `${node.spec.unschedulable ?? false}`,
  },
})

function validateTaints(taints: readonly Taint[] | undefined): FieldError[] {
  const seen = new Set<string>()
  return each(taints, 'spec.taints', (taint, path) => {
    const key = `${taint.key}:${taint.effect}`
    const repeated = seen.has(key)
    seen.add(key)
    return joinErrors(
      requireText(taint.key, `${path}.key`, checkQualifiedName),
      collect(checkLabelValue, `${path}.value`, taint.value ?? ''),
      validateOneOf(taint.effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute'], `${path}.effect`, true),
      repeated ? [duplicate(path, taint)] : [],
    )
  })
}

/** What the node agent or an operator sets once stays. */
function validateKept(spec: NodeSpec, old: NodeSpec): FieldError[] {
  return joinErrors(
    old.providerID && spec.providerID !== old.providerID
      ? [forbiddenField('spec.providerID', 'node updates may not change providerID except from "" to valid')]
      : [],
    old.podCIDR && spec.podCIDR !== old.podCIDR
      ? [forbiddenField('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid')]
      : [],
  )
}

function nodeRow(node: Node, nowMs: number): Cell[] {
  const { spec, status, metadata } = node
  const ready = status?.conditions?.find(condition => condition.type === 'Ready')
  const state = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  const address = (type: string): string =>
    status?.addresses?.find(candidate => candidate.type === type)?.address ?? none
  const info = status?.nodeInfo
  return [
    metadata.name,
    spec.unschedulable === true ? `${state},SchedulingDisabled` : state,
    roles(node),
    age(node, nowMs),
    info?.kubeletVersion ?? '',
    address('InternalIP'),
    address('ExternalIP'),
    info?.osImage || unknown,
    info?.kernelVersion || unknown,
    info?.containerRuntimeVersion || unknown,
  ]
}

const rolePrefix = 'node-role.kubernetes.io/'

function roles({ metadata }: Node): string {
  const found = new Set<string>()
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (key.startsWith(rolePrefix) && key.length > rolePrefix.length) found.add(key.slice(rolePrefix.length))
    if (key === 'kubernetes.io/role' && value !== '') found.add(value)
  }
  return found.size === 0 ? none : [...found].sort().join(',')
}
