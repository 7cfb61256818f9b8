// The instance that is meant: the one that is named, else one of those that get the requests.
import type { Looked } from '../delivery/service-state.ts'
import { suggestion } from '../delivery/manifest/nearest-name.ts'
import { servingWorkload } from '../delivery/plan/usual-steps.ts'
import { CommandFailure } from './output.ts'

/** @returns its name @throws CommandFailure */
export function instanceOf({ place, releases, observed }: Looked, named: string | undefined): string {
  const { service, environment } = place
  const all = observed.workloads.flatMap(({ instances }) => instances)
  if (named !== undefined) return namedInstance(named, { place, releases, observed })
  const present = releases.find(({ state }) => state === 'deployed')
  const serving = present && servingWorkload(present.parts, service)?.name
  const own = observed.workloads.find(({ name }) => name === serving)?.instances ?? all
  const found = own.find(({ ready }) => ready) ?? own.find(({ state }) => state === 'Running')
  if (found !== undefined) return found.name
  throw new CommandFailure(
    all.length === 0
      ? `"${service}" has no instances in the environment "${environment}" (namespace ${place.namespace})`
      : `no instance of "${service}" runs in ${environment}; look at them with: sampan ps -e ${environment} ${service}`,
  )
}

/** By its name, or by an end of it that no other has, as `sampan logs` shows it. */
export function namedInstance(named: string, { place: { service }, observed }: Looked): string {
  const names = observed.workloads.flatMap(({ instances }) => instances.map(({ name }) => name))
  const found = names.filter(name => name === named || name.endsWith(`-${named}`))
  const exact = found.find(name => name === named) ?? (found.length === 1 ? found[0] : undefined)
  if (exact !== undefined) return exact
  throw new CommandFailure(
    found.length > 1
      ? `"${named}" may be ${found.join(' or ')}`
      : `"${service}" has no instance "${named}"; ${suggestion(named, names)}`,
  )
}
