// What delivers the service in a folder: the app.yml beside its project, if there is one. A build names the
// image so that the manifest finds it, and says the command that delivers it.
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { BuildSettings } from '../images/build/settings.ts'
import { localRegistry } from '../images/client/place.ts'
import { environmentsOf, manifestOf, openManifest } from '../delivery/manifest/read-manifest.ts'
import { findManifest, manifestFiles, manifestName } from './find-manifest.ts'
import { findTeam } from './find-team.ts'

export interface DeliveryOf {
  readonly file: string
  readonly service: string
  readonly image: string
  /** One that the manifest knows. */
  readonly environment: string
  /** All that it knows. */
  readonly environments: readonly string[]
  readonly build: BuildSettings
}

const usualEnvironment = 'test'

/** undefined: there is no manifest. @throws ManifestError */
export function deliveryOf(directory: string): DeliveryOf | undefined {
  const file = join(directory, manifestName)
  if (!existsSync(file)) return undefined
  const manifest = openManifest(file, readFileSync(file, 'utf8'))
  const team = findTeam(directory)?.team
  const known = [...environmentsOf(manifest), ...Object.keys(team?.environments ?? {})]
  const environment = known.includes(usualEnvironment) ? usualEnvironment : (known[0] ?? usualEnvironment)
  const { name, image, build } = manifestOf(manifest, environment, team)
  return { file, service: name, image, environment, environments: known, build }
}

/** Name in the cluster's registry that the manifest asks for; undefined when it wants an image from elsewhere. */
export function repositoryOf({ image }: Pick<DeliveryOf, 'image'>): string | undefined {
  return image.startsWith(`${localRegistry}/`) ? image.slice(localRegistry.length + 1) : undefined
}

/** What to do with an image that was built, as it works when it is typed in this folder. */
export function nextStep(
  delivery: DeliveryOf | undefined,
  repository: string,
  tag: string,
  { context, folder }: { readonly context: string | undefined; readonly folder: string },
): string {
  if (delivery === undefined || repositoryOf(delivery) !== repository) {
    const short = repository.slice(repository.lastIndexOf('/') + 1)
    const image = repository === short ? '' : ` and "image: ${localRegistry}/${repository}"`
    return `next: give it an ${manifestName} with "name: ${short}"${image}, then: sampan deploy -e ${usualEnvironment} ${short}:${tag}`
  }
  const { service, environment, file } = delivery
  const isFound = isFirst(file, folder) || foundWithout(service, folder) === resolve(file)
  return [
    `next: sampan deploy -e ${environment} ${service}:${tag}`,
    ...(isFound ? [] : [`-f ${quoted(file)}`]),
    ...(context === undefined ? [] : [`--context ${quoted(context)}`]),
  ].join(' ')
}

/** Which is found without a look at the names in others. */
const isFirst = (file: string, folder: string): boolean => manifestFiles(folder)[0] === resolve(folder, file)

function foundWithout(service: string, folder: string): string | undefined {
  try {
    return resolve(findManifest(service, undefined, folder).file)
  } catch {
    return undefined
  }
}

const quoted = (text: string): string => (/^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)
