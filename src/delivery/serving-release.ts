// The release of a service that runs, and those of its instances that get the requests.
import { DeployError } from './deploy-error.ts'
import type { Engine } from './engine/engine.ts'
import type { Place, Workload } from './engine/parts.ts'
import type { Situation } from './history.ts'
import { servingWorkload } from './plan/usual-steps.ts'
import type { Release } from './release.ts'

export interface ServingRelease {
  readonly release: Release
  readonly workload: Workload
}

/** @throws DeployError when none runs */
export function servingRelease(place: Place, { present }: Pick<Situation, 'present'>): ServingRelease {
  const workload = present && servingWorkload(present.parts, place.service)
  if (present === undefined || workload === undefined) throw new DeployError(nothingRuns(place))
  return { release: present, workload }
}

/** Before a lease is taken: where nothing was delivered, there may be no room for one. @throws DeployError */
export async function mustBeThere(place: Place, { ledger }: Engine): Promise<void> {
  if ((await ledger.list(place)).length === 0) throw new DeployError(nothingRuns(place))
}

export const nothingRuns = ({ service, environment, namespace }: Place): string =>
  `no release of "${service}" runs in the environment "${environment}" (namespace ${namespace}); deliver one with: sampan deploy -e ${environment} ${service}`
