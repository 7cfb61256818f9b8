// What policies of balancing ask for that nothing can be made of, since connections are handed on to their services. Pure.
import type { PolicyTarget } from '../../../api/gateway-api/policies.ts'
import { onlyForConnections, onlyForRequests } from '../balancing.ts'
import { fails, holds, type Finding } from '../findings.ts'
import { ownerOf } from '../host-rule.ts'
import type { Backend } from '../model.ts'
import type { OwnPolicy } from './policies.ts'

/** Said of each target: it is not accepted where no request at all is led to it. */
export function withConnections(own: readonly OwnPolicy[], backends: Iterable<Backend>): readonly OwnPolicy[] {
  const bySource = Map.groupBy(backends, ({ balancing }) => balancing?.source)
  return own.map(each => {
    const found = bySource.get(ownerOf(each.policy))
    if (found === undefined) return each
    const told = each.policy.spec.targetRefs.flatMap((target): (readonly [PolicyTarget, Finding])[] => {
      const finding = findingOf(found.filter(({ service }) => service?.name === target.name))
      return finding === undefined ? [] : [[target, finding]]
    })
    return told.length === 0 ? each : { ...each, ofTargets: new Map([...(each.ofTargets ?? []), ...told]) }
  })
}

function findingOf(backends: readonly Backend[]): Finding | undefined {
  const carrying = backends.find(isCarrying)
  const unheeded =
    carrying?.balancing === undefined
      ? []
      : [
          ...onlyForRequests(carrying.balancing),
          ...(backends.some(({ protocol }) => protocol === 'udp') ? onlyForConnections(carrying.balancing) : []),
        ]
  if (unheeded.length === 0) return undefined
  const message = `connections that are handed on to the service "${carrying!.service!.name}" have no ${unheeded.join(' and no ')}`
  return backends.some(backend => !isCarrying(backend))
    ? holds('Accepted', 'UnsupportedValue', `requests are balanced as it says; ${message}`)
    : fails('Accepted', 'UnsupportedValue', message)
}

const isCarrying = ({ protocol }: Backend): boolean => protocol === 'tcp' || protocol === 'udp'
