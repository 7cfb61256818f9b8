// `sampan env list|create|clone|delete`: whole environments: their entry in sampan.yml, all services, and the rooms they
// live in.
import { writeFile } from 'node:fs/promises'
import type { DeliveryOptions } from '../../delivery/delivering.ts'
import { deleteService } from '../../delivery/delete-service.ts'
import type { Place } from '../../delivery/engine/parts.ts'
import type { Looked } from '../../delivery/service-state.ts'
import { isName, nameRule } from '../../delivery/manifest/fields.ts'
import { suggestion } from '../../delivery/manifest/nearest-name.ts'
import { withEnvironment, withoutEnvironment } from '../../delivery/team/edited-team.ts'
import { inOrder } from '../../delivery/team/in-order.ts'
import { changing } from '../changing.ts'
import { placeOfService } from '../chosen-services.ts'
import { confirm } from '../confirm.ts'
import type { DeliverySettings } from '../deliveries.ts'
import { knownServices } from '../environment-services.ts'
import { findTeam, findTeamFile, teamFileName } from '../find-team.ts'
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

/** Again after it was interrupted it goes on. */
export async function envCreate(name: string, options: EnvOptions & { readonly extends?: string }): Promise<void> {
  const output = new Output()
  await addEntry(name, options.extends, output)
  const setting = settingOf({ environment: name })
  await deployCommand([...mustKnowServices(setting)], { ...options, environment: name })
}

export async function envClone(from: string, name: string, options: EnvOptions): Promise<void> {
  const running = await withTarget({ ...options, environment: from }, runningVersions)
  const output = new Output()
  await addEntry(name, from, output)
  await deployCommand(running, { ...options, environment: name })
}

/** `NAME:VERSION` of all that run. */
async function runningVersions(target: Target): Promise<string[]> {
  const looked = await lookAt(
    target,
    mustKnowServices(target).map(service => placeOfService(service, target)),
  )
  const running = looked.flatMap(({ place: { service }, releases }) => {
    const present = releases.find(({ state }) => state === 'deployed')
    return present === undefined ? [] : [`${service}:${present.version}`]
  })
  if (running.length === 0) throw new CommandFailure(`nothing runs in "${target.environment}" that could be cloned`)
  return running
}

async function addEntry(name: string, base: string | undefined, output: Output): Promise<void> {
  if (!isName(name)) throw new CommandFailure(`expected ${nameRule} as the name of the environment, found "${name}"`)
  const found = findTeam(process.cwd())
  if (found === undefined) throw new CommandFailure(noTeam())
  const known = Object.keys(found.team.environments)
  const there = found.team.environments[name]
  if (there !== undefined) {
    if (base !== undefined && there.extends[0] !== base)
      throw new CommandFailure(
        `"${name}" is in ${found.file} already and ${there.extends[0] === undefined ? 'extends no other one' : `extends "${there.extends[0]}"`}, not "${base}"`,
      )
    return
  }
  if (base === undefined)
    throw new CommandFailure(
      `"${name}" is not in ${found.file}; say from which environment it has everything: sampan env create ${name} --extends NAME (${known.join(', ')})`,
    )
  if (!known.includes(base))
    throw new CommandFailure(`there is no environment "${base}" in ${found.file}; ${suggestion(base, known)}`)
  await writeFile(found.file, withEnvironment(found.text, name, base))
  output.line(`${name} is in ${found.file} now`)
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
    const places = await placesToDelete(target)
    await deleteServices(places, target, delivery, output)
    const namespaces = new Set([...places.map(({ namespace }) => namespace), ...ownNamespaces(target)])
    for (const namespace of namespaces) await removeRoom(namespace, target, delivery, output)
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
  const known = knownServices(target).map(service => placeOfService(service, target).namespace)
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
): Promise<void> {
  const others = await engine.services(environment, namespace)
  if (others.length > 0) return output.line(`the namespace ${namespace} stays: ${others.join(', ')} is there too`)
  const watch = {
    progress: (text: string) => report.waiting(text),
    heldUp: (text: string) => report.note(text),
    timeLimitSeconds,
    signal,
  }
  if (!(await engine.removeRoom(environment, namespace, watch)))
    output.line(`the namespace ${namespace} stays: Sampan did not make it`)
}

async function removeEntry(name: string, output: Output): Promise<void> {
  const found = findTeamFile(process.cwd())
  if (found === undefined) return
  const removed = withoutEnvironment(found.text, name)
  if ('reason' in removed) output.line(`${name} stays in ${found.file}: ${removed.reason}`)
  else await writeFile(found.file, removed.text)
}
