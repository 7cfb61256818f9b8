// Ingress: which requests from outside go to which service.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, notSupported, required } from '../field-error.ts'
import type { HTTPIngressPath, Ingress, IngressBackend, IngressRule, IngressTLS } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { ingresses } from '../resources.ts'
import { checkLabel1035, checkPortName, checkSubdomain, isIP, isPort, portRangeMessage } from '../validation/formats.ts'
import { collect, each, requireText } from '../validation/scalars.ts'
import { age, columns, firstFew, none } from './cells.ts'
import { keepStatus, statusOnly } from './strategy.ts'

const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix']
const forbiddenPathParts = ['//', '/./', '/../', '%2f', '%2F']
const forbiddenPathEnds = ['/..', '/.']

export const ingressKind = defineKind({
  resource: ingresses,
  model: 'V1Ingress',
  singular: 'ingress',
  shortNames: ['ing'],
  generation: true,
  errorGroup: 'extensions',
  defaults(draft) {
    draft.spec ??= {}
    draft.status ??= { loadBalancer: {} }
    draft.status.loadBalancer ??= {}
  },
  prepareForCreate(draft) {
    draft.status = { loadBalancer: {} }
  },
  prepareForUpdate: keepStatus,
  subresources: statusOnly(),
  validate,
  columns: columns('Name', 'Class', 'Hosts', 'Address', 'Ports', 'Age'),
  row: (ingress, nowMs) => [
    ingress.metadata.name,
    ingress.spec?.ingressClassName ?? ingress.metadata.annotations?.['kubernetes.io/ingress.class'] ?? none,
    hostsCell(ingress.spec?.rules),
    addressCell(ingress),
    (ingress.spec?.tls ?? []).length > 0 ? '80, 443' : '80',
    age(ingress, nowMs),
  ],
})

const hostsCell = (rules: readonly IngressRule[] = []): string =>
  firstFew([...new Set(rules.map(rule => rule.host ?? '').filter(host => host !== ''))].slice(0), '*')

/** At most 16 characters, as kubectl cuts it. */
function addressCell({ status }: Ingress): string {
  return (status?.loadBalancer?.ingress ?? [])
    .map(({ ip, hostname }) => ip || hostname || '')
    .filter(address => address !== '')
    .join(',')
}

function validate({ spec }: Ingress): FieldError[] {
  const empty = (spec.rules ?? []).length === 0 && spec.defaultBackend === undefined
  return joinErrors(
    empty ? [invalidValue('spec', spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified')] : [],
    each(spec.rules, 'spec.rules', validateRule),
    each(spec.tls, 'spec.tls', validateTls),
    spec.defaultBackend === undefined ? [] : validateBackend(spec.defaultBackend, 'spec.defaultBackend'),
    spec.ingressClassName === undefined ? [] : collect(checkSubdomain, 'spec.ingressClassName', spec.ingressClassName),
  )
}

function validateHost(host: string, field: string): FieldError[] {
  if (isIP(host)) return [invalidValue(field, host, 'must be a DNS name, not an IP address')]
  return host.startsWith('*') ? validateWildcard(host, field) : collect(checkSubdomain, field, host)
}

function validateWildcard(host: string, field: string): FieldError[] {
  return host.startsWith('*.') && checkSubdomain(host.slice(2)).length === 0
    ? []
    : [
        invalidValue(
          field,
          host,
          "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        ),
      ]
}

function validateRule({ host = '', http }: IngressRule, field: string): FieldError[] {
  return joinErrors(
    host === '' ? [] : validateHost(host, `${field}.host`),
    http === undefined
      ? []
      : (http.paths ?? []).length === 0
        ? [required(`${field}.http.paths`)]
        : each(http.paths, `${field}.http.paths`, validatePath),
  )
}

function validatePath({ path = '', pathType, backend }: HTTPIngressPath, field: string): FieldError[] {
  return joinErrors(validatePathText(path, pathType, field), validateBackend(backend, `${field}.backend`))
}

function validatePathText(path: string, pathType: string | undefined, field: string): FieldError[] {
  if (pathType === undefined || pathType === '') return [required(`${field}.pathType`, 'pathType must be specified')]
  if (!pathTypes.includes(pathType)) return [notSupported(`${field}.pathType`, pathType, pathTypes)]
  if (pathType === 'ImplementationSpecific')
    return path === '' || path.startsWith('/') ? [] : [invalidValue(`${field}.path`, path, 'must be an absolute path')]
  return joinErrors(
    path.startsWith('/') ? [] : [invalidValue(`${field}.path`, path, 'must be an absolute path')],
    forbiddenPathParts
      .filter(part => path.includes(part))
      .map(part => invalidValue(`${field}.path`, path, `must not contain '${part}'`)),
    forbiddenPathEnds
      .filter(end => path.endsWith(end))
      .map(end => invalidValue(`${field}.path`, path, `cannot end with '${end}'`)),
  )
}

const validateTls = ({ hosts }: IngressTLS, field: string): FieldError[] =>
  each(hosts, `${field}.hosts`, (host, path) => validateHost(host, path))

function validateBackend({ service, resource }: IngressBackend, field: string): FieldError[] {
  if (resource !== undefined)
    return service === undefined
      ? joinErrors(
          requireText(resource.kind, `${field}.resource.kind`),
          requireText(resource.name, `${field}.resource.name`),
        )
      : [invalidValue(field, '', 'cannot set both resource and service backends')]
  if (service === undefined) return [required(field, 'resource or service backend is required')]
  const { number, name } = service.port ?? {}
  return joinErrors(
    requireText(service.name, `${field}.service.name`, checkLabel1035),
    name && number
      ? [invalidValue(field, '', 'cannot set both port name & port number')]
      : name
        ? collect(checkPortName, `${field}.service.port.name`, name)
        : number
          ? isPort(number)
            ? []
            : [invalidValue(`${field}.service.port.number`, number, portRangeMessage)]
          : [required(field, 'port name or number is required')],
  )
}
