// `sampan diff -e ENVIRONMENT [NAME[:VERSION]...]`: what a deployment would change, and what somebody changed since the
// last one. Exit code 0: nothing, 1: something, 2: it cannot be told.
import { planOf, placeOf } from '../../delivery/deploy.ts'
import { differencesOf, type PartDifference } from '../../delivery/differences.ts'
import { situationOf } from '../../delivery/history.ts'
import { chosenServices, type ChosenService } from '../chosen-services.ts'
import { deliveryOptions, deploymentOf, type DeliverySettings } from '../deliveries.ts'
import { CommandFailure, Output } from '../output.ts'
import { openTarget, settingOf, type Target, type TargetOptions } from '../target.ts'

export interface DiffCommandOptions extends TargetOptions, DeliverySettings {
  readonly file?: string
  readonly output?: 'json'
}

/** @returns the exit code */
export async function diffCommand(names: readonly string[], options: DiffCommandOptions): Promise<number> {
  const output = new Output()
  try {
    const setting = settingOf(options)
    const services = await chosenServices(names, setting, options)
    const target = openTarget(options, setting)
    try {
      const found = await Promise.all(services.map(service => serviceDifferences(service, target, options, output)))
      output.quiet()
      if (options.output === 'json') console.log(JSON.stringify(found))
      else for (const { service, version, differences } of found) print(service, version, differences)
      return found.some(({ differences }) => differences.length > 0) ? 1 : 0
    } finally {
      output.quiet()
      target.close()
    }
  } catch (error) {
    throw new CommandFailure((error as Error).message, 2)
  }
}

interface ServiceDifferences {
  readonly service: string
  readonly version: string
  readonly differences: readonly PartDifference[]
}

async function serviceDifferences(
  service: ChosenService,
  target: Target,
  options: DiffCommandOptions,
  output: Output,
): Promise<ServiceDifferences> {
  const { engine, environment } = target
  const place = placeOf({ manifest: service.manifest, environment })
  const { present } = await situationOf(engine, place)
  // Without a version it is about the manifest and the cluster, not about another image.
  const version = service.versionGiven ? service.version : (present?.version ?? service.version)
  const delivery = deliveryOptions(target, options, output, new AbortController().signal)
  const planned = await planOf(
    deploymentOf(target, service, version, { ...options, ...delivery, builds: false }),
    delivery,
  )
  return { service: service.name, version, differences: await differencesOf(engine, place, planned, present) }
}

function print(service: string, version: string, differences: readonly PartDifference[]): void {
  if (differences.length === 0) return console.log(`${service} ${version}: no difference`)
  console.log(`${service} ${version}:`)
  for (const { part, change, fields, drift, missing } of differences) {
    const name = `${part.kind} ${part.name}`
    if (missing) console.log(`  ! ${name} was deleted since the last release`)
    if (change === 'new') console.log(`  + ${name}`)
    if (change === 'gone') console.log(`  - ${name}`)
    if (change === 'changed') console.log(`  ~ ${name}`)
    for (const { field, is, wanted } of fields) console.log(`      ${field}: ${is} -> ${wanted}`)
    for (const { field, is, wanted } of drift)
      console.log(`  ! ${name}: ${field} was changed since the last release: it is ${is}, and was to be ${wanted}`)
  }
}
