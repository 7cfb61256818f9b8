// The status that an object gets: what is wanted of it, with the times at which that became so, and beside what others say
// there. Pure. Source: Kubernetes, conditions; Gateway API, RouteStatus.
import type { Condition } from '../../api/generated/models.ts'
import { gatewayController } from '../../api/gateway-names.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import type { PolicyAncestorStatus, RouteParentStatus } from '../../api/gateway-api/types.ts'
import type { Finding } from './findings.ts'
import type { WantedStatus } from './statuses.ts'

interface WrittenStatus {
  conditions?: Condition[]
  listeners?: { name: string; conditions: Condition[] }[]
  parents?: RouteParentStatus[]
  ancestors?: PolicyAncestorStatus[]
}

/** Others keep theirs. */
const ours = new Set([
  'Accepted',
  'Programmed',
  'ResolvedRefs',
  'Conflicted',
  'PartiallyInvalid',
  'InsecureFrontendValidationMode',
])

/** @param now as Kubernetes writes it @returns undefined where it is as it should be */
export function statusChange(wanted: WantedStatus, now: string): object | undefined {
  const { object, conditions, listeners, parents, ancestors, rest } = wanted
  const before = (object as { status?: WrittenStatus }).status ?? {}
  const { generation } = object.metadata
  const dated = (old: readonly Condition[] | undefined, found: readonly Finding[]): Condition[] =>
    withTimes(old ?? [], found, generation, now)
  const after = {
    ...rest,
    ...(conditions !== undefined && { conditions: dated(before.conditions, conditions) }),
    ...(listeners !== undefined && {
      listeners: listeners.map(listener => ({
        ...listener,
        conditions: dated(
          before.listeners?.find(({ name }) => name === listener.name)?.conditions,
          listener.conditions,
        ),
      })),
    }),
    ...(parents !== undefined && { parents: besideOthers('parentRef', before.parents, parents, dated) }),
    ...(ancestors !== undefined && { ancestors: besideOthers('ancestorRef', before.ancestors, ancestors, dated) }),
  }
  return sameJson({ ...before, ...after }, before) ? undefined : after
}

type Dated = (old: readonly Condition[] | undefined, found: readonly Finding[]) => Condition[]

/** What other controllers say stays. */
function besideOthers<Reference extends string>(
  reference: Reference,
  before: readonly Told<Reference>[] = [],
  wanted: readonly ({ readonly conditions: readonly Finding[] } & { readonly [field in Reference]: unknown })[],
  dated: Dated,
): readonly object[] {
  const isOurs = ({ controllerName }: Told<Reference>): boolean => controllerName === gatewayController
  return [
    ...before.filter(each => !isOurs(each)),
    ...wanted.map(each => ({
      [reference]: each[reference],
      controllerName: gatewayController,
      conditions: dated(
        before.find(old => isOurs(old) && sameJson(old[reference], each[reference]))?.conditions,
        each.conditions,
      ),
    })),
  ]
}

type Told<Reference extends string> = {
  readonly controllerName: string
  readonly conditions: Condition[]
} & { readonly [field in Reference]: unknown }

function withTimes(
  old: readonly Condition[],
  found: readonly Finding[],
  generation: WantedStatus['object']['metadata']['generation'],
  now: string,
): Condition[] {
  return [
    ...old.filter(({ type }) => !ours.has(type)),
    ...found.map(finding => {
      const before = old.find(({ type }) => type === finding.type)
      return {
        ...finding,
        ...(generation !== undefined && { observedGeneration: generation }),
        lastTransitionTime: before?.status === finding.status ? before.lastTransitionTime : now,
      }
    }),
  ]
}
