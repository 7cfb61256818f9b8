// What a pod asks for, in plain numbers.
import type { Container, PodSpec, ResourceRequirements } from './generated/models.ts'
import { milliValue, wholeValue } from './quantity.ts'

/** By resource name: thousandths for cpu, whole units for everything else. */
export type Amounts = ReadonlyMap<string, number>

const amountOf = (name: string, quantity: string): number =>
  name === 'cpu' ? milliValue(quantity) : wholeValue(quantity)

export function amountsOf(list: Readonly<Record<string, string>> | undefined): Map<string, number> {
  return new Map(Object.entries(list ?? {}).map(([name, quantity]) => [name, amountOf(name, quantity)]))
}

function add(target: Map<string, number>, amounts: Amounts): void {
  for (const [name, amount] of amounts) target.set(name, (target.get(name) ?? 0) + amount)
}

function raise(target: Map<string, number>, amounts: Amounts): void {
  for (const [name, amount] of amounts) if (amount > (target.get(name) ?? 0)) target.set(name, amount)
}

type Kind = 'requests' | 'limits'

const kindOf = ({ resources }: { resources?: ResourceRequirements }, kind: Kind): Map<string, number> =>
  amountsOf(resources?.[kind])

/** What the pod as a whole asks for: containers and sidecars run together; each init container runs beside the sidecars before it. */
export function podRequests(spec: PodSpec): Amounts {
  const total = podAmounts(spec, 'requests')
  add(total, amountsOf(spec.overhead))
  return total
}

/** What the pod as a whole may use at most, of what each of its containers, or the pod itself, has a limit for. */
export function podLimits(spec: PodSpec): Amounts {
  const total = podAmounts(spec, 'limits')
  const own = kindOf(spec, 'limits')
  const containers = [...spec.containers, ...(spec.initContainers ?? [])].map(container => kindOf(container, 'limits'))
  for (const name of total.keys())
    if (!own.get(name) && !containers.every(limits => limits.get(name))) total.delete(name)
  for (const [name, amount] of amountsOf(spec.overhead)) if (total.get(name)) add(total, new Map([[name, amount]]))
  return total
}

function podAmounts(spec: PodSpec, kind: Kind): Map<string, number> {
  const total = new Map<string, number>()
  for (const container of spec.containers) add(total, kindOf(container, kind))
  const sidecars = new Map<string, number>()
  const peak = new Map<string, number>()
  for (const container of spec.initContainers ?? []) raise(peak, initPhase(container, kind, sidecars))
  add(total, sidecars)
  raise(total, peak)
  for (const [name, amount] of kindOf(spec, kind)) total.set(name, amount)
  return total
}

/** What is in use while this init container starts; sidecars stay. */
function initPhase(container: Container, kind: Kind, sidecars: Map<string, number>): Amounts {
  const own = kindOf(container, kind)
  if (container.restartPolicy === 'Always') {
    add(sidecars, own)
    return new Map(sidecars)
  }
  add(own, sidecars)
  return own
}
