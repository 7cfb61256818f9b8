// Rules out of Ingresses: those whose class is ours. Whatever cannot be as it is written is told, and the rest of it works.
// Pure. Source: Kubernetes, Ingress v1.
import type { HTTPIngressPath, Ingress, IngressBackend } from '../../api/generated/models.ts'
import { gatewayClassName, gatewayController } from '../../api/gateway-names.ts'
import { wantedBackend, type WantedBackend } from './backends.ts'
import { anyHost, ingressHost } from './host-names.ts'
import { ownerOf, type HostRule, type Problem } from './host-rule.ts'
import type { HostName, PathMatch } from './model.ts'
import { plainPath } from './plain-path.ts'
import type { Observed, Policed } from './observed.ts'
import { placesOf } from './policies/policy-place.ts'
import { policedService } from './route-backends.ts'
import { unheededAnnotations, wantsTls } from './wants-tls.ts'

export interface IngressRules {
  readonly own: readonly Ingress[]
  readonly rules: readonly HostRule[]
  readonly problems: readonly Problem[]
}

export function ingressRules(observed: Policed): IngressRules {
  const own = ownIngresses(observed)
  const found = own.map(ingress => refusedRules(ingress, observed) ?? rulesOf(ingress, observed))
  return {
    own,
    rules: found.flatMap(({ rules }) => rules),
    problems: found.flatMap(({ problems }) => problems),
  }
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

/** undefined: nobody refuses them. */
function refusedRules(ingress: Ingress, { refused }: Observed): Pick<IngressRules, 'rules' | 'problems'> | undefined {
  const owner = ownerOf(ingress)
  const message = refused.get(owner)
  return message === undefined ? undefined : { rules: [], problems: [{ owner, reason: 'NotServed', message }] }
}

function rulesOf(ingress: Ingress, observed: Policed): Pick<IngressRules, 'rules' | 'problems'> {
  const owner = ownerOf(ingress)
  const problems: Problem[] = []
  const rules: HostRule[] = []
  const add = (name: HostName, path: PathMatch, place: string, backend: IngressBackend): void => {
    const target = targetOf(ingress, backend, observed)
    if (target.problem !== undefined) problems.push({ owner, reason: 'BackendNotFound', message: target.problem })
    rules.push({
      name,
      from: ingress,
      wantsTls: wantsTls(ingress),
      rule: {
        source: `${owner} ${place}`,
        match: { path, headers: [], query: [] },
        action: { shares: [{ backend: target.backend?.id, weight: 1 }] },
      },
      backends: target.backend === undefined ? [] : [target.backend],
    })
  }
  const unheeded = unheededAnnotations(ingress)
  if (unheeded.length > 0)
    problems.push({
      owner,
      reason: 'AnnotationNotHeeded',
      message: `${unheeded.join(', ')}: this is for another gateway, and its paths are served without it`,
    })
  const { rules: written = [], defaultBackend } = ingress.spec
  written.forEach(({ host, http }, index) => {
    const name = ingressHost(host)
    if (http === undefined && defaultBackend !== undefined) add(name, everything, `${index}`, defaultBackend)
    http?.paths.forEach((path, place) => add(name, pathOf(path), `${index}/${place}`, path.backend))
  })
  if (defaultBackend !== undefined) add(anyHost, everything, 'default', defaultBackend)
  return { rules, problems }
}

const everything: PathMatch = { kind: 'prefix', value: '/' }

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

function targetOf(ingress: Ingress, { service, resource }: IngressBackend, observed: Policed): Target {
  const { namespace = '' } = ingress.metadata
  if (service === undefined)
    return {
      problem: `expected a service as backend, found the ${resource?.kind ?? 'resource'} "${resource?.name ?? ''}", which nothing can be led to`,
    }
  const wanted = service.port?.name ?? service.port?.number ?? 0
  const found = observed.service(namespace, service.name)
  const ports = found?.spec.ports ?? []
  const port = ports.find(each => (typeof wanted === 'string' ? each.name === wanted : each.port === wanted))
  const policies = observed.policies.of(placesOf(ingress))
  const handling = policedService(policies.length > 0 ? { policies } : {}, service, namespace, observed)
  const backend = wantedBackend({ namespace, name: service.name, port: port?.port ?? wanted }, found, { handling })
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
