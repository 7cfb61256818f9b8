// Priority: a pod's number follows from the name of its class; the default class serves those without.
import type { Pod, PriorityClass } from '../../api/generated/models.ts'
import { forbidden } from '../../api/api-error.ts'
import { systemPriorities } from '../../api/kinds/priority-class.ts'
import { pods, priorityClasses } from '../../api/resources.ts'
import type { AdmissionPlugin, ServerContext } from '../server-context.ts'
import { isPlainResource } from './admission.ts'

const preempts = 'PreemptLowerPriority'

export const priority: AdmissionPlugin = {
  name: 'Priority',
  mutate(request, context) {
    if (!isPlainResource(request, '', 'pods')) return
    if (request.operation === 'UPDATE') keepPriority(request.object as Pod, request.old as Pod)
    if (request.operation !== 'CREATE') return
    const { spec, metadata } = request.object as Pod
    const found = classOf(context, spec.priorityClassName)
    if (found === undefined)
      throw forbidden(pods, metadata.name ?? '', `no PriorityClass with name ${spec.priorityClassName} was found`)
    const value = found.value ?? 0
    if (spec.priority !== undefined && spec.priority !== value)
      throw forbidden(
        pods,
        metadata.name ?? '',
        `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
      )
    spec.priority = value
    spec.preemptionPolicy ??= found.preemptionPolicy ?? preempts
    if (found.metadata?.name) spec.priorityClassName = found.metadata.name
  },
}

/** Who replaces a pod by what it was made of need not say what was added to it. */
function keepPriority({ spec }: Pod, old: Pod): void {
  const { priority, preemptionPolicy } = old.spec
  if (priority !== undefined) spec.priority ??= priority
  if (preemptionPolicy !== undefined) spec.preemptionPolicy ??= preemptionPolicy
}

type Found = Pick<PriorityClass, 'value' | 'preemptionPolicy'> & { metadata?: { name: string } }

function classOf({ storage }: ServerContext, name: string | undefined): Found | undefined {
  if (!name) return defaultClass(storage.cache(priorityClasses).values()) ?? { value: 0 }
  const stored = storage.get(priorityClasses, name)?.object as PriorityClass | undefined
  return stored ?? (systemPriorities[name] === undefined ? undefined : { value: systemPriorities[name] })
}

/** Among several default classes the least important one. */
function defaultClass(all: Iterable<{ readonly object: object }>): PriorityClass | undefined {
  let least: PriorityClass | undefined
  for (const { object } of all) {
    const one = object as PriorityClass
    if (one.globalDefault === true && (least === undefined || (one.value ?? 0) < (least.value ?? 0))) least = one
  }
  return least
}
