// Which services of an environment a command looks at: those that are named, else those of sampan.yml, else those
// with a manifest below this folder, else all that were delivered to its namespace.
import type { Place } from '../delivery/engine/parts.ts'
import { foundName, isName } from '../delivery/manifest/fields.ts'
import { placeOfService } from './chosen-services.ts'
import { servicesBelow } from './find-manifest.ts'
import { CommandFailure } from './output.ts'
import { checkEnvironment } from './known-environments.ts'
import { placeIn, type Setting, type Target } from './target.ts'

/** @throws CommandFailure when there are none */
export async function placesOf(names: readonly string[], target: Target): Promise<readonly Place[]> {
  if (names.length > 0) return names.map(name => placeOf(name, target))
  const places = knownPlaces(target)
  if (places.length > 0) return places
  checkEnvironment(target)
  const { environment, engine, settings } = target
  if (settings?.namespace === 'service')
    throw new CommandFailure(
      `each service of "${environment}" has a namespace of its own, so that none is found without a name; name services, or add them to sampan.yml`,
    )
  const { namespace } = placeIn(target, '')
  const found = await engine.services(environment, namespace)
  if (found.length === 0) throw new CommandFailure(nothingDelivered(target, [namespace]))
  return found.map(name => placeIn(target, name))
}

export const nothingDelivered = (
  { environment, engine }: Pick<Target, 'engine' | 'environment'>,
  namespaces: readonly string[],
): string =>
  `nothing was delivered to the environment "${environment}" (namespace ${[...new Set(namespaces)].join(', ')} of ${engine.name}); deliver it with: sampan deploy -e ${environment} NAME:VERSION`

/** Of the services that the files name, those that know the environment. */
export function knownPlaces(setting: Setting): readonly Place[] {
  return knownServices(setting).flatMap(name => {
    try {
      return [placeOfService(name, setting)]
    } catch {
      return []
    }
  })
}

/** Of the team's file, else of this folder. */
export function knownServices({ team }: Pick<Target, 'team'>): readonly string[] {
  const ofTeam = Object.keys(team?.services ?? {})
  return ofTeam.length > 0 ? ofTeam : servicesBelow(process.cwd()).map(({ name }) => name)
}

/** @param file the manifest, where the service is in none below this folder */
export function placeOf(service: string, target: Setting, file?: string): Place {
  if (!isName(service))
    throw new CommandFailure(`expected the NAME of a service such as geo-backend, found ${foundName(service)}`)
  return placeOfService(service, target, file)
}
