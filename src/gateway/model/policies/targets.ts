// What policies can be for. Pure.
import type { PolicyTarget } from '../../../api/gateway-api/policies.ts'
import type { KubeObject } from '../../../api/object.ts'
import type { Observed } from '../observed.ts'

/** @returns what is not there of what a policy names; undefined: all of it is */
export type MissingTarget = (target: PolicyTarget, namespace: string) => string | undefined

export function missingTargetsOf(observed: Observed): MissingTarget {
  const objectOf: Readonly<Record<string, (name: string, namespace: string) => Target | undefined>> = {
    Gateway: among(observed.gateways, 'listener', ({ spec }) => spec.listeners),
    HTTPRoute: among(observed.httpRoutes, 'rule', ({ spec }) => spec.rules),
    GRPCRoute: among(observed.grpcRoutes, 'rule', ({ spec }) => spec.rules),
    Ingress: among(observed.ingresses),
    Service: (name, namespace) => observed.service(namespace, name) && {},
  }
  return ({ kind, name, sectionName }, namespace) => {
    const found = objectOf[kind]?.(name, namespace)
    if (found === undefined) return `there is no ${kind} "${name}" in the namespace of the policy`
    if (sectionName === undefined || found.parts?.has(sectionName) === true) return undefined
    return `the ${kind} "${name}" has no ${found.part ?? 'part'} "${sectionName}"`
  }
}

/** Of each target of a policy that is not there, what is missing. */
export const missingOf = (
  { metadata: { namespace = '' }, spec }: KubeObject & { spec: { targetRefs: PolicyTarget[] } },
  missingTarget: MissingTarget,
): ReadonlyMap<PolicyTarget, string> =>
  new Map(
    spec.targetRefs.flatMap(target => {
      const missing = missingTarget(target, namespace)
      return missing === undefined ? [] : [[target, missing] as const]
    }),
  )

/** With the names of what it consists of, where a policy can be for one of them. */
interface Target {
  readonly part?: string
  readonly parts?: ReadonlySet<string | undefined>
}

const among =
  <T extends KubeObject>(
    all: readonly T[],
    part?: string,
    partsOf: (object: T) => readonly { readonly name?: string }[] | undefined = () => [],
  ) =>
  (name: string, namespace: string): Target | undefined => {
    const found = all.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace)
    return found && (part === undefined ? {} : { part, parts: new Set((partsOf(found) ?? []).map(each => each.name)) })
  }
