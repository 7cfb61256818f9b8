// The specification of a service, for creation and for every update.
import type { FieldError } from '../field-error.ts'
import { duplicate, forbiddenField, invalidValue, joinErrors, required } from '../field-error.ts'
import type { Service, ServicePort, ServiceSpec } from '../generated/models.ts'
import { checkLabel, checkQualifiedName, checkSubdomain, ipMessage, isIP } from './formats.ts'
import { validateLabels } from './object-meta.ts'
import {
  collect,
  each,
  optionalOneOf,
  requireText,
  validateOneOf,
  validatePort,
  validatePortNumberOrName,
  validateUnique,
} from './scalars.ts'

export const hasClusterIP = (spec: ServiceSpec): boolean => spec.type !== 'ExternalName'
export const hasNodePorts = (spec: ServiceSpec): boolean => spec.type === 'NodePort' || spec.type === 'LoadBalancer'
const isHeadless = (spec: ServiceSpec): boolean => spec.clusterIP === 'None'

export function validateService({ spec }: Service): FieldError[] {
  return joinErrors(
    validateTypeFields(spec),
    validatePorts(spec),
    validateLabels(spec.selector, 'spec.selector'),
    validateOneOf(spec.sessionAffinity, ['ClientIP', 'None'], 'spec.sessionAffinity', true),
    validateAffinityTimeout(spec),
    validateClusterIPs(spec),
    each(spec.externalIPs, 'spec.externalIPs', (address, path) =>
      isIP(address) ? [] : [invalidValue(path, address, ipMessage)],
    ),
    validateOneOf(spec.type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'], 'spec.type', true),
    validateNodePorts(spec),
    optionalOneOf(spec.externalTrafficPolicy, ['Cluster', 'Local'], 'spec.externalTrafficPolicy'),
    optionalOneOf(spec.internalTrafficPolicy, ['Cluster', 'Local'], 'spec.internalTrafficPolicy'),
    spec.type !== 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== undefined
      ? [forbiddenField('spec.allocateLoadBalancerNodePorts', "may only be used when `type` is 'LoadBalancer'")]
      : [],
  )
}

function validateTypeFields(spec: ServiceSpec): FieldError[] {
  if (spec.type === 'LoadBalancer' && isHeadless(spec))
    return [invalidValue('spec.clusterIPs[0]', 'None', "may not be set to 'None' for LoadBalancer services")]
  if (spec.type === 'NodePort' && isHeadless(spec))
    return [invalidValue('spec.clusterIPs[0]', 'None', "may not be set to 'None' for NodePort services")]
  if (spec.type !== 'ExternalName') return []
  return joinErrors(
    (spec.clusterIPs ?? []).length > 0
      ? [forbiddenField('spec.clusterIPs', 'may not be set for ExternalName services')]
      : [],
    requireText(spec.externalName, 'spec.externalName', name => checkSubdomain(name.replace(/\.$/, ''))),
  )
}

function validatePorts(spec: ServiceSpec): FieldError[] {
  const ports = spec.ports ?? []
  if (ports.length === 0) return isHeadless(spec) || spec.type === 'ExternalName' ? [] : [required('spec.ports')]
  const seen = new Set<string>()
  return joinErrors(
    each(ports, 'spec.ports', (port, path) => validateServicePort(port, ports.length > 1, path)),
    validateUnique(ports, 'spec.ports', port => port.name, 'name'),
    each(ports, 'spec.ports', ({ port, protocol }, path) => {
      const key = `${port}/${protocol}`
      if (!seen.has(key)) {
        seen.add(key)
        return []
      }
      return [duplicate(path, { protocol, port })]
    }),
  )
}

function validateServicePort(port: ServicePort, nameRequired: boolean, field: string): FieldError[] {
  return joinErrors(
    port.name || nameRequired ? requireText(port.name, `${field}.name`, checkLabel) : [],
    validatePort(port.port, `${field}.port`),
    validateOneOf(port.protocol, ['SCTP', 'TCP', 'UDP'], `${field}.protocol`, true),
    validatePortNumberOrName(port.targetPort, `${field}.targetPort`),
    port.appProtocol ? collect(checkQualifiedName, `${field}.appProtocol`, port.appProtocol) : [],
  )
}

function validateNodePorts(spec: ServiceSpec): FieldError[] {
  const seen = new Set<string>()
  return each(spec.ports, 'spec.ports', ({ nodePort, protocol }, path) => {
    if (!nodePort) return []
    if (!hasNodePorts(spec))
      return [forbiddenField(`${path}.nodePort`, `may not be used when \`type\` is '${spec.type}'`)]
    const key = `${protocol}/${nodePort}`
    const repeated = seen.has(key)
    seen.add(key)
    return repeated ? [duplicate(`${path}.nodePort`, nodePort)] : []
  })
}

const maximumTimeoutSeconds = 86_400

function validateAffinityTimeout({ sessionAffinityConfig }: ServiceSpec): FieldError[] {
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds
  return seconds === undefined || (seconds > 0 && seconds <= maximumTimeoutSeconds)
    ? []
    : [
        invalidValue(
          'spec.sessionAffinityConfig.clientIP.timeoutSeconds',
          seconds,
          `must be greater than 0 and less than ${maximumTimeoutSeconds}`,
        ),
      ]
}

function validateClusterIPs(spec: ServiceSpec): FieldError[] {
  const addresses = spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : [])
  if (isHeadless(spec))
    return addresses.length > 1
      ? [invalidValue('spec.clusterIPs', addresses, "'None' must be the first and only value")]
      : []
  const mismatch = spec.clusterIP !== undefined && spec.clusterIP !== '' && addresses[0] !== spec.clusterIP
  return joinErrors(
    mismatch ? [invalidValue('spec.clusterIPs', addresses, 'first value must match `clusterIP`')] : [],
    each(addresses, 'spec.clusterIPs', (address, path) =>
      isIP(address) ? [] : [invalidValue(path, address, ipMessage)],
    ),
  )
}
