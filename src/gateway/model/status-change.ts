// The status that an object gets: what is wanted of it, with the times at which that became so, and beside what others say
// there. Pure. Source: Kubernetes, conditions; Gateway API, RouteStatus.
import type { Condition } from '../../api/generated/models.ts'
import { gatewayController } from '../../api/gateway-names.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import type { RouteParentStatus } from '../../api/gateway-api/types.ts'
import type { Finding } from './findings.ts'
import type { WantedStatus } from './statuses.ts'

interface WrittenStatus {
  conditions?: Condition[]
  listeners?: { name: string; conditions: Condition[] }[]
  parents?: RouteParentStatus[]
}

/** Others keep theirs. */
const ours = new Set(['Accepted', 'Programmed', 'ResolvedRefs', 'Conflicted', 'PartiallyInvalid'])

/** @param now as Kubernetes writes it @returns undefined where it is as it should be */
export function statusChange(wanted: WantedStatus, now: string): object | undefined {
  const { object, conditions, listeners, parents, rest } = wanted
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
    ...(parents !== undefined && {
      parents: [
        ...(before.parents ?? []).filter(({ controllerName }) => controllerName !== gatewayController),
        ...parents.map(parent => ({
          parentRef: parent.parentRef,
          controllerName: gatewayController,
          conditions: dated(
            before.parents?.find(
              ({ controllerName, parentRef }) =>
                controllerName === gatewayController && sameJson(parentRef, parent.parentRef),
            )?.conditions,
            parent.conditions,
          ),
        })),
      ],
    }),
  }
  return sameJson({ ...before, ...after }, before) ? undefined : after
}

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
