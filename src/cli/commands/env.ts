// `sampan env list|create|clone|delete`: whole environments: their entry in sampan.yml, all services, and the rooms they
// live in.
import { writeFile } from 'node:fs/promises'
import type { DeliveryOptions } from '../../delivery/delivering.ts'
import { deleteService } from '../../delivery/delete-service.ts'
import type { RoomEnd } from '../../delivery/engine/engine.ts'
import type { Place } from '../../delivery/engine/parts.ts'
import type { Looked } from '../../delivery/service-state.ts'
import { foundName, isName, nameRule } from '../../delivery/manifest/fields.ts'
import { suggestion } from '../../delivery/manifest/nearest-name.ts'
import { withEnvironment, withoutEnvironment } from '../../delivery/team/edited-team.ts'
import { inOrder } from '../../delivery/team/in-order.ts'
import { changing } from '../changing.ts'
import { confirm } from '../confirm.ts'
import type { DeliverySettings } from '../deliveries.ts'
import { knownPlaces, knownServices } from '../environment-services.ts'
import { checkEnvironment, knownEnvironments } from '../known-environments.ts'
import { findTeam, teamFileName } from '../find-team.ts'
import { lookAt, withTarget } from '../looking.ts'
import { CommandFailure, Output } from '../output.ts'
import { tableText } from '../table.ts'
import { placeIn, settingOf, type Setting, type Target, type TargetOptions } from '../target.ts'
import { deployCommand } from './deploy.ts'

export interface EnvOptions extends Omit<TargetOptions, 'environment'>, DeliverySettings {
  readonly output?: 'json'
}

export interface EnvListOptions {
  readonly output?: 'json'
}

export function envList({ output }: EnvListOptions): void {
  const team = findTeam(process.cwd())?.team
  if (team === undefined) throw new CommandFailure(noTeam())
  const environments = Object.values(team.environments)
  if (output === 'json') console.log(JSON.stringify(environments))
  else
    console.log(
      tableText(
        ['ENVIRONMENT', 'EXTENDS', 'CONTEXT', 'NAMESPACE', 'DOMAIN'],
        environments.map(({ name, extends: [base = ''], context = '', namespace, domain }) => [
          name,
          base,
          context,
          typeof namespace === 'string'
            ? placeIn({ environment: name, settings: team.environments[name] }, 'SERVICE').namespace
            : namespace.name,
          domain,
        ]),
      ),
    )
}

/** Made as a whole, or not at all; after a kill, the same command goes on. */
export async function envCreate(name: string, options: EnvOptions & { readonly extends?: string }): Promise<void> {
  await withEntry(name, options.extends, options, () => [...mustKnowServices(settingOf({ environment: name }))])
}

export async function envClone(from: string, name: string, options: EnvOptions): Promise<void> {
  const running = await withTarget({ ...options, environment: from }, runningVersions)
  await withEntry(name, from, options, () => running)
}

async function withEntry(
  name: string,
  base: string | undefined,
  options: EnvOptions,
  services: () => readonly string[],
): Promise<void> {
  const output = new Output()
  const isNew = await addEntry(name, base, output)
  try {
    await deployCommand(services(), { ...options, environment: name, together: true })
  } catch (error) {
    if (isNew) await takeEntryBack(name, options, output)
    throw error
  }
}

/** Unless something is there: without its entry nobody could look at it. */
async function takeEntryBack(name: string, options: EnvOptions, output: Output): Promise<void> {
  let left: readonly string[] = []
  try {
    const looked = await withTarget({ ...options, environment: name }, target => lookAt(target, knownPlaces(target)))
    left = looked.filter(isLeft).map(({ place: { service } }) => service)
  } catch (error) {
    output.line(
      `whether anything of ${name} is there could not be asked (${(error as Error).message}); to take it away: sampan env delete ${name}`,
    )
  }
  if (left.length === 0) {
    if (await removeEntry(name, output)) output.line(`${name} is not in ${teamFileName} any more`)
    return
  }
  output.line(
    `${name} stays in ${teamFileName}, because there is something of ${left.join(', ')}; to go on: sampan env create ${name}, to take it away: sampan env delete ${name}`,
  )
}

/** More than the record of a failure. */
const isLeft = ({ releases, observed: { workloads, schedules } }: Looked): boolean =>
  workloads.length > 0 || schedules.length > 0 || releases.some(({ state }) => state !== 'failed')

/** `NAME:VERSION` of all that run. */
async function runningVersions(target: Target): Promise<string[]> {
  checkEnvironment(target)
  mustKnowServices(target)
  const looked = await lookAt(target, knownPlaces(target))
  const running = looked.flatMap(({ place: { service }, releases }) => {
    const present = releases.find(({ state }) => state === 'deployed')
    return present === undefined ? [] : [`${service}:${present.version}`]
  })
  if (running.length === 0) throw new CommandFailure(`nothing runs in "${target.environment}" that could be cloned`)
  return running
}

/** @returns whether it was not there before */
async function addEntry(name: string, base: string | undefined, output: Output): Promise<boolean> {
  if (!isName(name))
    throw new CommandFailure(`expected ${nameRule} as the name of the environment, found ${foundName(name)}`)
  const found = findTeam(process.cwd())
  if (found === undefined) throw new CommandFailure(noTeam())
  const known = Object.keys(found.team.environments)
  const there = found.team.environments[name]
  if (there !== undefined) {
    if (base !== undefined && there.extends[0] !== base)
      throw new CommandFailure(
        `"${name}" is in ${found.file} already and ${there.extends[0] === undefined ? 'extends no other one' : `extends "${there.extends[0]}"`}, not "${base}"`,
      )
    return false
  }
  if (base === undefined)
    throw new CommandFailure(
      `"${name}" is not in ${found.file}; say from which environment it has everything: sampan env create ${name} --extends NAME (${known.join(', ')})`,
    )
  if (!known.includes(base))
    throw new CommandFailure(`there is no environment "${base}" in ${found.file}; ${suggestion(base, known)}`)
  await writeFile(found.file, withEnvironment(found.text, name, base))
  output.line(`${name} is in ${found.file} now`)
  return true
}

const noTeam = (): string =>
  `environments of their own need a ${teamFileName}, and there is none in ${process.cwd()} or above; a first one: environments: { test: {} }`

function mustKnowServices(setting: Setting): readonly string[] {
  const services = knownServices(setting)
  if (services.length > 0) return services
  throw new CommandFailure(
    `${teamFileName} names no services, and no app.yml was found below ${process.cwd()}; add them under "services"`,
  )
}

export interface EnvDeleteOptions extends EnvOptions {
  readonly yes?: boolean
}

/** Everything goes, data too. Again after it was interrupted it finishes. */
export async function envDelete(name: string, options: EnvDeleteOptions): Promise<void> {
  await confirm(`the environment ${name} with all its services and their data`, name, options.yes)
  const interruptible = {
    first: 'stopping behind what is just being taken away',
    goOn: `take the rest away with: sampan env delete ${name}`,
  }
  await changing({ ...options, environment: name }, interruptible, async ({ target, output, delivery }) => {
    const known = knownEnvironments(target) ?? []
    const places = await placesToDelete(target)
    await deleteServices(places, target, delivery, output)
    const namespaces = new Set([...places.map(({ namespace }) => namespace), ...ownNamespaces(target)])
    let found = places.length > 0 || known.includes(name)
    for (const namespace of namespaces)
      if ((await removeRoom(namespace, target, delivery, output)) === 'removed') found = true
    if (!found)
      throw new CommandFailure(
        `there is no environment "${name}": no file here names it, and nothing of it is in ${target.engine.name}; ${suggestion(name, known)}`,
      )
    await removeEntry(name, output)
    if (options.output === 'json')
      console.log(JSON.stringify({ environment: name, deleted: true, namespaces: [...namespaces] }))
    else output.line(`${name} is gone`)
  })
}

async function placesToDelete(target: Target): Promise<readonly Place[]> {
  const { environment, engine } = target
  const found = await Promise.all(
    ownNamespaces(target).map(async namespace => {
      const services = await engine.services(environment, namespace)
      return services.map((service): Place => ({ environment, namespace, service }))
    }),
  )
  const looked = await lookAt(target, found.flat())
  return looked.filter(each => isOf(environment, each)).map(({ place }) => place)
}

function ownNamespaces(target: Target): readonly string[] {
  const known = knownPlaces(target).map(({ namespace }) => namespace)
  const own = target.settings?.namespace === 'service' ? [] : [placeIn(target, '').namespace]
  return [...new Set([...known, ...own])]
}

/** A namespace may be shared with other environments, whose services stay. */
function isOf(environment: string, { place: { namespace }, releases: [newest] }: Looked): boolean {
  if (newest !== undefined) return newest.environment === environment
  return namespace === environment || namespace.startsWith(`${environment}-`)
}

/** Those first that others do not need any more. */
async function deleteServices(
  places: readonly Place[],
  { team }: Target,
  delivery: DeliveryOptions,
  output: Output,
): Promise<void> {
  const byName = new Map(places.map(place => [place.service, place]))
  const needed = Object.fromEntries(
    places.map(({ service }) => [
      service,
      places.filter(other => team?.services[other.service]?.needs.includes(service)).map(other => other.service),
    ]),
  )
  const outcomes = await inOrder(needed, async service => {
    const { removed } = await deleteService(byName.get(service)!, true, delivery)
    if (removed) output.done(`${service} is gone`)
  })
  const failed = outcomes.filter(({ state }) => state !== 'done')
  if (failed.length > 0)
    throw new CommandFailure(
      failed
        .map(({ name, error }) => error?.message ?? `${name}: not begun, because one that needs it is not gone`)
        .join('\n'),
    )
}

async function removeRoom(
  namespace: string,
  { engine, environment }: Target,
  { report, timeLimitSeconds, signal }: DeliveryOptions,
  output: Output,
): Promise<RoomEnd> {
  const others = await engine.services(environment, namespace)
  if (others.length > 0) {
    output.line(`the namespace ${namespace} stays: ${others.join(', ')} is there too`)
    return 'stays'
  }
  const watch = {
    progress: (text: string) => report.waiting(text),
    heldUp: (text: string) => report.note(text),
    timeLimitSeconds,
    signal,
  }
  const end = await engine.removeRoom(environment, namespace, watch)
  if (end === 'stays') output.line(`the namespace ${namespace} stays: Sampan did not make it`)
  return end
}

/** @returns whether it was there, and could be taken out */
async function removeEntry(name: string, output: Output): Promise<boolean> {
  const found = findTeam(process.cwd())
  if (found === undefined || !Object.hasOwn(found.team.environments, name)) return false
  const removed = withoutEnvironment(found.text, name)
  if ('reason' in removed) output.line(`${name} stays in ${found.file}: ${removed.reason}`)
  else await writeFile(found.file, removed.text)
  return 'text' in removed
}
