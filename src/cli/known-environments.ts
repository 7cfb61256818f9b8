// Which environments there are, as sampan.yml and the manifests at hand say together: a misspelt one is refused where
// they say it. Away from them any may be meant.
import { join } from 'node:path'
import { parse } from 'yaml'
import { suggestion } from '../delivery/manifest/nearest-name.ts'
import { manifestIn, servicesBelow, type FoundManifest } from './find-manifest.ts'
import { CommandFailure } from './output.ts'
import type { Setting } from './target.ts'

/** Those that are named; undefined: none is, or there is a service that may go anywhere. */
export function knownEnvironments({ team, folder }: Pick<Setting, 'folder' | 'team'>): readonly string[] | undefined {
  const ofTeam = Object.keys(team?.environments ?? {})
  const manifests = [
    ...Object.values(team?.services ?? {}).flatMap(({ path }) => manifestIfAny(join(folder, path))),
    ...servicesBelow(process.cwd()),
  ]
  const ofServices = manifests.map(({ text }) => environmentsIn(text))
  if (ofTeam.length === 0 && ofServices.some(names => names.length === 0)) return undefined
  const all = new Set([...ofTeam, ...ofServices.flat()])
  return all.size === 0 ? undefined : [...all]
}

/** @throws CommandFailure with the name that is nearest */
export function checkEnvironment(setting: Pick<Setting, 'environment' | 'folder' | 'team'>): void {
  const { environment, team } = setting
  if (team !== undefined && Object.hasOwn(team.environments, environment)) return
  const known = knownEnvironments(setting)
  if (known === undefined || known.includes(environment)) return
  throw new CommandFailure(`there is no environment "${environment}"; ${suggestion(environment, known)}`)
}

function manifestIfAny(given: string): FoundManifest[] {
  try {
    return [manifestIn(given)]
  } catch {
    return []
  }
}

/** Of a manifest, whose mistakes others tell. */
function environmentsIn(text: string): string[] {
  try {
    const { environments } = parse(text) as { environments?: unknown }
    return typeof environments === 'object' && environments !== null ? Object.keys(environments) : []
  } catch {
    return []
  }
}
