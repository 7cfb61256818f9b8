// What people want to know of one rule: what it takes, what is asked for and done there, where it leads, and why it does not
// work. Pure.
import { handlingWords, redirectAddress } from './handling-words.ts'
import type { MadeModel } from './model/gateway-model.ts'
import { textOfHost } from './model/host-names.ts'
import { ownerOf } from './model/host-rule.ts'
import type { Backend, Entrance, GatewayModel, Host, PathMatch, RequestMatch, Rule } from './model/model.ts'
import { limitsOf, mostLimits } from './model/policing.ts'
import { policyWords } from './policy-words.ts'

export interface RuleFacts {
  readonly host: string
  readonly path: string
  readonly pathType: 'Exact' | 'Prefix' | 'RegularExpression'
  /** What a request has to be beyond that: `method POST`, `header x-version: 2`. */
  readonly conditions: readonly string[]
  /** Whose rule it is: `Ingress shop/web`. */
  readonly owner: string
  /** `shop/web:80`, with the share of the requests where there are several; none: it answers by itself. */
  readonly leadsTo: readonly string[]
  /** Instances that take requests. */
  readonly instances: number
  /** `308 to https://shop.localhost:8443` */
  readonly redirect?: string
  /** In the order in which a request meets them. */
  readonly policies: readonly PolicyFacts[]
  /** What else is done with requests. */
  readonly does: readonly string[]
  /** Why it does not work. */
  readonly problem?: string
}

export interface PolicyFacts {
  /** `AccessPolicy shop/partners` */
  readonly name: string
  readonly asks: readonly string[]
  /** Of all the services that the rule leads to, those that it is for; undefined: all. */
  readonly for?: readonly string[]
  /** Why it is not enforced as it says. */
  readonly problem?: string
}

export type KnownModel = Pick<MadeModel, 'model' | 'problems' | 'policing' | 'routes'>

const pathTypes = { exact: 'Exact', prefix: 'Prefix', pattern: 'RegularExpression' } as const satisfies Record<
  PathMatch['kind'],
  RuleFacts['pathType']
>

/** A place of requests among those that a rule takes: what of an answer depends on the request is told for it. */
export interface AskedPlace {
  readonly host: string
  readonly path?: string
  readonly search?: string
}

export function ruleFacts(
  rule: Rule,
  { name }: Pick<Host, 'name'>,
  { carries }: Pick<Entrance, 'carries'>,
  known: KnownModel,
  asked: AskedPlace = { host: textOfHost(name) },
): RuleFacts {
  const [kind = '', key = ''] = rule.source.split(' ')
  const owner = `${kind} ${key}`
  const targets = targetsOf(rule, known.model)
  const redirect = targets.map(({ backend }) => backend?.handling.redirect).find(found => found !== undefined)
  const leading = redirect === undefined ? targets : []
  const instances = leading.reduce((sum, { ready }) => sum + ready, 0)
  const policies = policiesOf(targets, known)
  const problem =
    leadsNowhere(leading, owner, known) ??
    closedBy(targets, carries !== undefined) ??
    (redirect === undefined && instances === 0 ? 'no instance is ready' : undefined)
  return {
    host: textOfHost(name),
    path: rule.match.path.value,
    pathType: pathTypes[rule.match.path.kind],
    conditions: conditionWords(rule.match),
    owner,
    leadsTo: leading.map(({ text, share }) => `${text}${share}`),
    instances,
    ...(redirect !== undefined && { redirect: `${redirect.status} to ${redirectAddress(redirect, asked)}` }),
    policies,
    does: doneWith(targets, known.model),
    ...(problem !== undefined && { problem }),
  }
}

export const conditionWords = ({ method, headers, query }: RequestMatch): readonly string[] => [
  ...(method === undefined ? [] : [`method ${method}`]),
  ...headers.map(({ name, kind, value }) => `header ${name}: ${kind === 'exact' ? value : `like ${value}`}`),
  ...query.map(({ name, kind, value }) => `query ${name}=${kind === 'exact' ? value : `like ${value}`}`),
]

interface Target {
  /** undefined: it leads nowhere, and answers 500. */
  readonly backend: Backend | undefined
  readonly text: string
  readonly share: string
  readonly ready: number
}

function targetsOf({ action }: Rule, { backends }: GatewayModel): readonly Target[] {
  const total = action.shares.reduce((sum, { weight }) => sum + weight, 0)
  return action.shares.map(({ backend: id, weight }) => {
    const backend = id === undefined ? undefined : backends.get(id)
    return {
      backend,
      text: textOfTarget(backend),
      share: action.shares.length > 1 ? ` ${Math.round((100 * weight) / (total || 1))} %` : '',
      ready: backend?.serves === 'logins' ? 1 : (backend?.servers ?? []).filter(({ draining }) => !draining).length,
    }
  })
}

const textOfTarget = (backend: Backend | undefined): string =>
  backend?.serves === 'logins'
    ? 'the login of the gateway'
    : backend?.service === undefined
      ? 'nothing'
      : `${backend.service.namespace}/${backend.service.name}:${backend.service.port}`

const unresolved = new Set(['BackendNotFound', 'RefNotPermitted', 'InvalidKind'])

/** A problem is told of its service; where nothing may be led anywhere, it is one of all that its owner has. */
function leadsNowhere(targets: readonly Target[], owner: string, { problems }: KnownModel): string | undefined {
  const own = problems.filter(each => each.owner === owner && unresolved.has(each.reason))
  const isLost = targets.some(({ backend }) => backend === undefined)
  return own.find(
    ({ message }) =>
      isLost ||
      targets.some(({ backend }) => backend?.service !== undefined && message.includes(`"${backend.service.name}"`)),
  )?.message
}

/** @param isConnection nobody can be asked who it is */
function closedBy(targets: readonly Target[], isConnection: boolean): string | undefined {
  const all = targets.map(({ backend }) => backend?.handling.policies ?? [])
  if (all.some(policies => policies.some(({ isClosed }) => isClosed)))
    return isConnection
      ? 'a policy cannot be enforced, so that connections are closed'
      : 'a policy cannot be enforced, so that nobody is let in (500)'
  if (isConnection) {
    const asking = all.flat().find(({ identity, maintenance }) => identity !== undefined || maintenance !== undefined)
    return asking && `${asking.source} asks for more than a connection has, so that all are closed`
  }
  return all.some(policies => limitsOf(policies).length > mostLimits)
    ? `there are more than ${mostLimits} limits for one request, so that nobody is let in (500)`
    : undefined
}

function policiesOf(targets: readonly Target[], { policing, problems }: KnownModel): readonly PolicyFacts[] {
  const names = targets.map(({ backend }) => [
    ...(backend?.handling.policies ?? []).map(({ source }) => source),
    ...(backend?.balancing === undefined ? [] : [backend.balancing.source]),
  ])
  return inOrder(names).map(name => {
    const policy = policing.own.find(own => ownerOf(own.policy) === name)?.policy
    const told = targets.filter((_target, index) => names[index]!.includes(name)).map(({ text }) => text)
    // A target that is not there is none of these.
    const found = problems
      .filter(({ owner, reason }) => owner === name && reason !== 'TargetNotFound')
      .map(({ message }) => message)
    return {
      name,
      asks: policy === undefined ? [] : policyWords(policy),
      ...(told.length < targets.length && { for: told }),
      ...(found.length > 0 && { problem: found.join('; ') }),
    }
  })
}

function doneWith(targets: readonly Target[], { backends }: GatewayModel): readonly string[] {
  const nameOf = (id: string): string => textOfTarget(backends.get(id))
  const done = targets.map(({ backend }) => (backend === undefined ? [] : handlingWords(backend.handling, nameOf)))
  return inOrder(done).map(words => {
    const told = targets.filter((_target, index) => done[index]!.includes(words)).map(({ text }) => text)
    return told.length < targets.length ? `for ${told.join(' and ')} ${words}` : words
  })
}

/** What is said of several, once each. */
const inOrder = (texts: readonly (readonly string[])[]): readonly string[] => [...new Set(texts.flat())]
