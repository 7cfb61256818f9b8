// What people look for in a model: each rule with what it leads to, and the one that takes a request. Pure.
import { compareHosts, findRule, type AskedRequest } from './model/find-rule.ts'
import type { MadeModel } from './model/gateway-model.ts'
import { textOfHost } from './model/host-names.ts'
import type { GatewayModel, PathMatch, Rule } from './model/model.ts'

export interface RouteFacts {
  readonly host: string
  readonly path: string
  readonly pathType: 'Exact' | 'Prefix' | 'RegularExpression'
  /** Whose rule it is: `Ingress shop/web`. */
  readonly owner: string
  /** `shop/web:80`, with the share of the requests where there are several. */
  readonly leadsTo: readonly string[]
  /** Instances that take requests. */
  readonly instances: number
  /** Why it does not work. */
  readonly problem?: string
}

const pathTypes = { exact: 'Exact', prefix: 'Prefix', pattern: 'RegularExpression' } as const satisfies Record<
  PathMatch['kind'],
  RouteFacts['pathType']
>

/** In the order in which they are tried. */
export function routeFacts({ model, problems }: Pick<MadeModel, 'model' | 'problems'>): readonly RouteFacts[] {
  const hosts = model.entrances.flatMap(entrance => entrance.hosts).toSorted(compareHosts)
  const facts = hosts.flatMap(({ name, rules }) => rules.map(rule => factsOf(rule, textOfHost(name), model, problems)))
  // What is the same at several entrances is one.
  return [...new Map(facts.map(each => [JSON.stringify(each), each])).values()]
}

function factsOf(rule: Rule, host: string, model: GatewayModel, problems: MadeModel['problems']): RouteFacts {
  const [kind = '', owner = ''] = rule.source.split(' ')
  const { leadsTo, instances } = targetsOf(rule, model)
  // Problems are told of their service, or of nothing in particular.
  const told = problems.find(
    each => each.owner === `${kind} ${owner}` && each.reason === 'BackendNotFound' && mentions(each.message, leadsTo),
  )
  const problem = told?.message ?? (instances === 0 ? 'no instance is ready' : undefined)
  const { path } = rule.match
  return {
    host,
    path: path.value,
    pathType: pathTypes[path.kind],
    owner: `${kind} ${owner}`,
    leadsTo,
    instances,
    ...(problem !== undefined && { problem }),
  }
}

const mentions = (message: string, leadsTo: readonly string[]): boolean =>
  leadsTo.some(target => message.includes(`"${/\/(.*):/.exec(target)?.[1]}"`))

function targetsOf({ action }: Rule, { backends }: GatewayModel): Pick<RouteFacts, 'leadsTo' | 'instances'> {
  const total = action.shares.reduce((sum, { weight }) => sum + weight, 0)
  const found = action.shares.map(({ backend, weight }) => {
    const { service, servers = [] } = (backend === undefined ? undefined : backends.get(backend)) ?? {}
    const share = action.shares.length > 1 ? ` ${Math.round((100 * weight) / (total || 1))} %` : ''
    return {
      text: service === undefined ? 'nothing' : `${service.namespace}/${service.name}:${service.port}${share}`,
      ready: servers.filter(({ draining }) => !draining).length,
    }
  })
  return {
    leadsTo: found.map(({ text }) => text),
    instances: found.reduce((sum, { ready }) => sum + ready, 0),
  }
}

/** @returns the facts of the rule that takes the request; undefined: none does */
export function explain(made: Pick<MadeModel, 'model' | 'problems'>, request: AskedRequest): RouteFacts | undefined {
  for (const entrance of made.model.entrances) {
    const rule = findRule(entrance, request)
    const host = entrance.hosts.find(({ rules }) => rule !== undefined && rules.includes(rule))
    if (rule !== undefined && host !== undefined) return factsOf(rule, textOfHost(host.name), made.model, made.problems)
  }
  return undefined
}
