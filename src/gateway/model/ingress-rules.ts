// Rules out of Ingresses: those whose class is ours. Whatever cannot be as it is written is told, and the rest of it works.
// Pure. Source: Kubernetes, Ingress v1.
import type { HTTPIngressPath, Ingress, IngressBackend } from '../../api/generated/models.ts'
import { gatewayClassName, gatewayController } from '../../api/gateway-names.ts'
import { keyOf } from '../../api/object.ts'
import { wantedBackend, type WantedBackend } from './backends.ts'
import { plainPath } from './plain-path.ts'
import type { HostName, PathMatch, Rule } from './model.ts'
import type { Observed } from './observed.ts'
import { wantsTls } from './wants-tls.ts'

export interface HostRule {
  readonly name: HostName
  readonly rule: Rule
  /** That the rule leads to. */
  readonly backends: readonly WantedBackend[]
  /** Of two that take the same requests, the older one does. */
  readonly createdAt: string
  /** `namespace/name` of the Ingress. */
  readonly owner: string
  /** Plain requests are sent to where TLS is. */
  readonly wantsTls: boolean
}

export interface Problem {
  /** `namespace/name` */
  readonly owner: string
  /** One word, as events have it. */
  readonly reason: string
  readonly message: string
}

export interface IngressRules {
  readonly own: readonly Ingress[]
  readonly rules: readonly HostRule[]
  readonly problems: readonly Problem[]
}

export function ingressRules(observed: Observed): IngressRules {
  const own = ownIngresses(observed)
  const found = own.map(ingress => rulesOf(ingress, observed))
  const { kept, claims } = withoutClaims(found.flatMap(({ rules }) => rules))
  return { own, rules: kept, problems: [...found.flatMap(({ problems }) => problems), ...claims] }
}

/** By their class, or by the annotation that came before classes. */
export function ownIngresses({ ingresses, ingressClasses }: Observed): readonly Ingress[] {
  const classes = new Set(
    ingressClasses.filter(({ spec }) => spec?.controller === gatewayController).map(({ metadata }) => metadata.name),
  )
  return ingresses.filter(({ metadata, spec }) =>
    spec.ingressClassName === undefined
      ? metadata.annotations?.['kubernetes.io/ingress.class'] === gatewayClassName
      : classes.has(spec.ingressClassName),
  )
}

function rulesOf(ingress: Ingress, observed: Observed): Pick<IngressRules, 'rules' | 'problems'> {
  const owner = keyOf(ingress)
  const problems: Problem[] = []
  const rules: HostRule[] = []
  const add = (name: HostName, path: PathMatch, place: string, backend: IngressBackend): void => {
    const target = targetOf(ingress, backend, observed)
    if (target.problem !== undefined) problems.push({ owner, reason: 'BackendNotFound', message: target.problem })
    rules.push({
      name,
      owner,
      wantsTls: wantsTls(ingress),
      createdAt: ingress.metadata.creationTimestamp,
      rule: {
        source: `Ingress ${owner} ${place}`,
        match: { path, headers: [], query: [] },
        action: { shares: [{ backend: target.backend?.id, weight: 1 }] },
      },
      backends: target.backend === undefined ? [] : [target.backend],
    })
  }
  const { rules: written = [], defaultBackend } = ingress.spec
  written.forEach(({ host, http }, index) => {
    const name = hostName(host)
    if (http === undefined && defaultBackend !== undefined) add(name, everything, `${index}`, defaultBackend)
    http?.paths.forEach((path, place) => add(name, pathOf(path), `${index}/${place}`, path.backend))
  })
  if (defaultBackend !== undefined) add({ kind: 'any' }, everything, 'default', defaultBackend)
  return { rules, problems }
}

const everything: PathMatch = { kind: 'prefix', value: '/' }

export const hostName = (host: string | undefined): HostName =>
  host === undefined || host === ''
    ? { kind: 'any' }
    : host.startsWith('*.')
      ? { kind: 'one-label', below: host.slice(2) }
      : { kind: 'exact', name: host }

/** What an implementation may decide is a prefix here. */
const pathOf = ({ path, pathType }: HTTPIngressPath): PathMatch => ({
  kind: pathType === 'Exact' ? 'exact' : 'prefix',
  value: plainPath(path === undefined || path === '' ? '/' : path),
})

interface Target {
  /** Also of what is not there yet, so that nothing has to be loaded anew when it comes. */
  readonly backend?: WantedBackend
  readonly problem?: string
}

function targetOf(
  { metadata: { namespace = '' } }: Ingress,
  { service, resource }: IngressBackend,
  observed: Observed,
): Target {
  if (service === undefined)
    return {
      problem: `expected a service as backend, found the ${resource?.kind ?? 'resource'} "${resource?.name ?? ''}", which nothing can be led to`,
    }
  const wanted = service.port?.name ?? service.port?.number ?? 0
  const found = observed.service(namespace, service.name)
  const ports = found?.spec.ports ?? []
  const port = ports.find(each => (typeof wanted === 'string' ? each.name === wanted : each.port === wanted))
  const backend = wantedBackend({ namespace, name: service.name, port: port?.port ?? wanted }, found)
  if (found === undefined)
    return { backend, problem: `there is no service "${service.name}" in the namespace ${namespace}` }
  if (found.spec.type === 'ExternalName')
    return {
      backend,
      problem: `the service "${service.name}" is a name of another host (ExternalName), which nothing is led to`,
    }
  if (port === undefined)
    return {
      backend,
      problem: `the service "${service.name}" has no port ${wanted}; it has ${ports.map(each => each.name ?? each.port).join(', ')}`,
    }
  return { backend }
}

/** The oldest one keeps what several ask for. */
function withoutClaims(rules: readonly HostRule[]): {
  readonly kept: readonly HostRule[]
  readonly claims: readonly Problem[]
} {
  const byAge = rules.toSorted((left, right) =>
    left.createdAt !== right.createdAt
      ? left.createdAt < right.createdAt
        ? -1
        : 1
      : left.owner < right.owner
        ? -1
        : Number(left.owner > right.owner),
  )
  const takenBy = new Map<string, HostRule>()
  const claims: Problem[] = []
  for (const rule of byAge) {
    const key = JSON.stringify([rule.name, rule.rule.match])
    const taken = takenBy.get(key)
    if (taken === undefined) takenBy.set(key, rule)
    else
      claims.push({
        owner: rule.owner,
        reason: 'AlreadyTaken',
        message: `${textOf(rule)} is taken by ${taken.owner === rule.owner ? 'an earlier rule of its own' : `the older Ingress ${taken.owner}`}`,
      })
  }
  return { kept: [...takenBy.values()], claims }
}

const textOf = ({ name, rule }: HostRule): string => `${textOfHost(name)}${rule.match.path.value}`

export function textOfHost(name: HostName): string {
  switch (name.kind) {
    case 'exact':
      return name.name
    case 'any':
      return '*'
    default:
      return `*.${name.below}`
  }
}
