// Names and patterns of names that requests are for, as Ingresses and as Gateways write them. Pure.
import { answersTo } from './find-rule.ts'
import type { HostName } from './model.ts'

export const anyHost: HostName = { kind: 'any' }

/** A star stands for one label. Source: Kubernetes, Ingress v1. */
export const ingressHost = (text: string | undefined): HostName => hostOf(text, 'one-label')

/** A star stands for one label or more. Source: Gateway API, Listener.hostname. */
export const gatewayHost = (text: string | undefined): HostName => hostOf(text, 'below')

const hostOf = (text: string | undefined, star: 'one-label' | 'below'): HostName =>
  text === undefined || text === ''
    ? anyHost
    : text.startsWith('*.')
      ? { kind: star, below: text.slice(2) }
      : { kind: 'exact', name: text }

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

/** Whether whatever `inner` answers to, `outer` does, too. */
export function includes(outer: HostName, inner: HostName): boolean {
  if (outer.kind === 'any') return true
  if (inner.kind === 'any') return false
  if (inner.kind === 'exact') return answersTo(outer, inner.name)
  if (outer.kind === 'exact') return false
  if (outer.below === inner.below) return outer.kind === 'below' || inner.kind === 'one-label'
  return outer.kind === 'below' && inner.below.endsWith(`.${outer.below}`)
}

/** What both answer to; undefined: nothing. */
export const commonHost = (one: HostName, other: HostName): HostName | undefined =>
  includes(one, other) ? other : includes(other, one) ? one : undefined
