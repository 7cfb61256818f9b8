// Names as the Gateway API writes them, and references to objects by group, kind and name.
import type { JSONSchemaProps as Schema } from '../../api/generated/models.ts'
import { gatewayGroup } from '../../api/gateway-names.ts'
import { integer, object, rule, ruled, text, whole, withDefault } from './schema.ts'

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
export const subdomain = String.raw`${label}(\.${label})*`
export const wildcardHostname = String.raw`^(\*\.)?${subdomain}$`
/** What follows the domain of a name with a domain, as in `example.com/name`. */
export const pathOfName = String.raw`\/[A-Za-z0-9\/\-._~%!$&'()*+,;=:]+$`

const named = (maxLength: number, pattern: string): Schema => ({ ...text(maxLength, 1), pattern })

export const hostname = named(253, wildcardHostname)
export const preciseHostname = named(253, `^${subdomain}$`)
export const sectionName = named(253, `^${subdomain}$`)
export const group: Schema = { ...text(253), pattern: `^$|^${subdomain}$` }
export const kind = named(63, '^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$')
export const objectName = text(253, 1)
export const namespace = named(63, `^${label}$`)
export const controllerName = named(253, `^${subdomain}${pathOfName}`)
export const port = integer(1, 65535)
export const duration: Schema = { type: 'string', pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$' }

const inGateways = { group: withDefault(group, gatewayGroup), kind: withDefault(kind, 'Gateway') }

/** To an object of the same namespace. */
export const localReference = whole({ group, kind, name: objectName })
export const objectReference = object({ group, kind, name: objectName, namespace }, ['group', 'kind', 'name'])
export const secretReference = object(
  { group: withDefault(group, ''), kind: withDefault(kind, 'Secret'), name: objectName, namespace },
  ['name'],
)
export const routeKind = object({ group: inGateways.group, kind }, ['kind'])
export const parentGatewayReference = object({ ...inGateways, name: objectName, namespace }, ['name'])
export const parentReference = object({ ...inGateways, name: objectName, namespace, sectionName, port }, ['name'])
export const policyTarget = object({ group, kind, name: objectName, sectionName }, ['group', 'kind', 'name'])

const backend = { group: withDefault(group, ''), kind: withDefault(kind, 'Service'), name: objectName, namespace, port }
const servicesHavePorts = rule(
  'Must have port for Service reference',
  "(size(self.group) == 0 && self.kind == 'Service') ? has(self.port) : true",
)

export const backendObjectReference = ruled(object(backend, ['name']), servicesHavePorts)

/** A backend with its share of the requests, and whatever else its route says of it. */
export const backendReference = (more: Record<string, Schema> = {}): Schema =>
  ruled(object({ ...backend, weight: withDefault(integer(0, 1_000_000), 1), ...more }, ['name']), servicesHavePorts)
