// Backups of what a service has on a backing service, and the way back. Programs of the field run beside the server
// where Sampan made it: they are there, and in its version.
import type { Readable, Writable } from 'node:stream'
import { DeployError } from './deploy-error.ts'
import { delivering, type DeliveryOptions } from './delivering.ts'
import type { Engine } from './engine/engine.ts'
import type { Place } from './engine/parts.ts'
import { situationOf } from './history.ts'
import type { ServiceNeed } from './plan/step.ts'
import type { Release } from './release.ts'
import { mustBeThere, nothingRuns } from './serving-release.ts'
import type { BackingService, Reached, RunTool, Wanted } from './services/backing-service.ts'
import { instanceTool } from './services/instance-tool.ts'
import { knownOf, withServer, type ServerAccess } from './services/with-server.ts'

export interface DataWanted {
  readonly place: Place
  /** Type of the backing service; undefined: the only one. */
  readonly type?: string
}

/** @returns what was saved, in words */
export async function backupData(
  { place, type }: DataWanted,
  to: Writable,
  options: Pick<DeliveryOptions, 'engine' | 'service' | 'signal'>,
): Promise<string> {
  const need = needOf(place, type, (await situationOf(options.engine, place)).present)
  await atServer(need, place, options, (backing, server, wanted, runTool) =>
    backing.backup(server, wanted, to, runTool),
  )
  return wordsOf(need)
}

/** No delivery changes the schema meanwhile. */
export async function restoreData(
  { place, type }: DataWanted,
  from: Readable,
  options: DeliveryOptions,
): Promise<string> {
  await mustBeThere(place, options.engine)
  return delivering(place, options, async ({ situation }) => {
    const need = needOf(place, type, situation.present)
    await atServer(need, place, options, (backing, server, wanted, runTool) =>
      backing.restore(server, wanted, from, runTool),
    )
    return wordsOf(need)
  })
}

const wordsOf = ({ type, database, server }: ServiceNeed): string =>
  `${type} database ${database} on ${server.kind === 'managed' ? server.workload : server.host}`

/** @throws DeployError */
export function needOf(place: Place, type: string | undefined, present: Release | undefined): ServiceNeed {
  if (present === undefined) throw new DeployError(nothingRuns(place))
  const types = present.needs.map(need => need.type)
  const found = present.needs.filter(need => type === undefined || need.type === type)
  if (found.length === 1) return found[0]!
  const there = types.length === 0 ? 'no backing service' : types.join(', ')
  throw new DeployError(
    type === undefined && types.length > 1
      ? `"${place.service}" has ${there}; say which one is meant`
      : `"${place.service}" has ${there}${type === undefined ? '' : `, and no ${type}`} in ${place.environment}`,
  )
}

type DataWork = (backing: BackingService, server: Reached, wanted: Wanted, runTool?: RunTool) => Promise<void>

async function atServer(
  need: ServiceNeed,
  place: Place,
  { engine, service, signal }: Pick<DeliveryOptions, 'engine' | 'service' | 'signal'>,
  work: DataWork,
): Promise<void> {
  const access: ServerAccess = { engine, place, service }
  const { backing, administrator, wanted } = await knownOf(need, access)
  const { server } = need
  if (server.kind === 'external' || !backing.usesTools) return withServer(need, access, work)
  const instance = await instanceOf(place, server.workload, engine)
  // As programs beside the server reach it.
  const reached: Reached = { host: '127.0.0.1', port: server.port, administrator }
  await work(backing, reached, wanted, instanceTool(engine, place, instance, signal))
}

async function instanceOf(place: Place, workload: string, engine: Engine): Promise<string> {
  const { workloads } = await engine.observe(place)
  const ready = workloads.find(({ name }) => name === workload)?.instances.find(instance => instance.ready)
  if (ready !== undefined) return ready.name
  throw new DeployError(
    `no instance of ${workload} is ready; look at it with: sampan ps -e ${place.environment} ${place.service}`,
  )
}
