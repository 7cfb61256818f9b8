// NetworkPolicy: who may talk to a pod, and to whom it may talk.
import type { FieldError } from '../field-error.ts'
import { forbiddenField, invalidValue, joinErrors, notSupported, required } from '../field-error.ts'
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { formatSelector } from '../label-selector.ts'
import { networkPolicies } from '../resources.ts'
import { isIP } from '../validation/formats.ts'
import { validateLabelSelector } from '../validation/label-selector.ts'
import { each, validatePortNumberOrName } from '../validation/scalars.ts'
import { age, columns } from './cells.ts'

const protocols = ['SCTP', 'TCP', 'UDP']

export const networkPolicyKind = defineKind({
  resource: networkPolicies,
  model: 'V1NetworkPolicy',
  singular: 'networkpolicy',
  shortNames: ['netpol'],
  generation: true,
  defaults(draft) {
    draft.spec ??= {}
    draft.spec.podSelector ??= {}
    draft.spec.policyTypes ??= (draft.spec.egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress']
    for (const rule of [...(draft.spec.ingress ?? []), ...(draft.spec.egress ?? [])])
      for (const port of rule.ports ?? []) port.protocol ??= 'TCP'
  },
  validate,
  columns: columns('Name', 'Pod-Selector', 'Age'),
  row: (policy, nowMs) => [policy.metadata.name, formatSelector(policy.spec?.podSelector), age(policy, nowMs)],
})

function validate({ spec }: NetworkPolicy): FieldError[] {
  const types = spec.policyTypes ?? []
  return joinErrors(
    validateLabelSelector(spec.podSelector, 'spec.podSelector'),
    each(spec.ingress, 'spec.ingress', (rule, path) =>
      joinErrors(each(rule.ports, `${path}.ports`, validatePort), each(rule.from, `${path}.from`, validatePeer)),
    ),
    each(spec.egress, 'spec.egress', (rule, path) =>
      joinErrors(each(rule.ports, `${path}.ports`, validatePort), each(rule.to, `${path}.to`, validatePeer)),
    ),
    types.length > 2
      ? [invalidValue('spec.policyTypes', types, 'may not specify more than two policyTypes')]
      : each(types, 'spec.policyTypes', (type, path) =>
          type === 'Ingress' || type === 'Egress' ? [] : [notSupported(path, type, ['Egress', 'Ingress'])],
        ),
  )
}

function validatePort({ protocol, port, endPort }: NetworkPolicyPort, field: string): FieldError[] {
  return joinErrors(
    protocol === undefined || protocols.includes(protocol)
      ? []
      : [notSupported(`${field}.protocol`, protocol, protocols)],
    port === undefined
      ? endPort === undefined
        ? []
        : [required(`${field}.port`, 'must be specified when endPort is specified')]
      : validatePortNumberOrName(port, `${field}.port`),
    endPort !== undefined && typeof port === 'string'
      ? [invalidValue(`${field}.endPort`, port, 'may not specify endPort when port is non-numeric')]
      : [],
    endPort !== undefined && typeof port === 'number' && endPort < port
      ? [invalidValue(`${field}.endPort`, endPort, 'must be greater than or equal to `port`')]
      : [],
  )
}

function validatePeer({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer, field: string): FieldError[] {
  if (podSelector === undefined && namespaceSelector === undefined && ipBlock === undefined)
    return [required(field, 'must specify a peer')]
  return joinErrors(
    validateLabelSelector(podSelector, `${field}.podSelector`),
    validateLabelSelector(namespaceSelector, `${field}.namespaceSelector`),
    ipBlock === undefined
      ? []
      : joinErrors(
          validateCidr(ipBlock.cidr, `${field}.ipBlock.cidr`),
          each(ipBlock.except, `${field}.ipBlock.except`, validateCidr),
        ),
    ipBlock !== undefined && (podSelector !== undefined || namespaceSelector !== undefined)
      ? [forbiddenField(field, 'may not specify both ipBlock and another peer')]
      : [],
  )
}

export function validateCidr(cidr: string | undefined, field: string): FieldError[] {
  if (cidr === undefined || cidr === '') return [required(field)]
  const [address = '', prefix = '', ...rest] = cidr.split('/')
  const longest = address.includes(':') ? 128 : 32
  const fits = rest.length === 0 && isIP(address) && /^\d{1,3}$/.test(prefix) && Number(prefix) <= longest
  return fits ? [] : [invalidValue(field, cidr, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')]
}
