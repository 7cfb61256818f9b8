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

const requestsOf = ({ resources }: { resources?: ResourceRequirements }): Map<string, number> =>
  amountsOf(resources?.requests)

/** What the pod as a whole asks for: containers and sidecars run together; each init container runs beside the sidecars before it. */
export function podRequests(spec: PodSpec): Amounts {
  const total = new Map<string, number>()
  for (const container of spec.containers) add(total, requestsOf(container))
  const sidecars = new Map<string, number>()
  const peak = new Map<string, number>()
  for (const container of spec.initContainers ?? []) raise(peak, initPhase(container, sidecars))
  add(total, sidecars)
  raise(total, peak)
  for (const [name, amount] of requestsOf(spec)) total.set(name, amount)
  add(total, amountsOf(spec.overhead))
  return total
}

/** What is in use while this init container starts; sidecars stay. */
function initPhase(container: Container, sidecars: Map<string, number>): Amounts {
  const own = requestsOf(container)
  if (container.restartPolicy === 'Always') {
    add(sidecars, own)
    return new Map(sidecars)
  }
  add(own, sidecars)
  return own
}
