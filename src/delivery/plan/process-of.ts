// How instances, schedules and runs of a release are started: the same image, variables and files for all of them; and
// what runs beside instances. Pure.
import type { Process, Sidecar, Variable } from '../engine/parts.ts'
import { versionVariable, type EnvironmentValue, type Manifest, type ManifestProcess } from '../manifest/manifest.ts'
import { fileKey } from './bundles.ts'
import type { ImageFound, Materials } from './materials.ts'

export function processOf(manifest: Manifest, version: string, materials: Materials): Process {
  // A name that several of them give, as DATABASE_URL, is the first one's.
  const granted = materials.services
    .toReversed()
    .flatMap(({ credentials, variables }) =>
      variables.map((name): [string, Variable] => [name, { secret: credentials.name, key: name }]),
    )
  const given: [string, Variable][] = [[versionVariable, { value: version }], ...portOf(manifest), ...granted]
  return startedBy(manifest, materials.image, given, materials)
}

/** Where it is to listen, as programs of many makers ask for it: the port called `http`, else the first one. */
function portOf({ ports }: Pick<Manifest, 'ports'>): [string, Variable][] {
  const own = ports.filter(({ protocol }) => protocol === 'TCP')
  const port = own.find(({ name }) => name === 'http') ?? own[0]
  return port === undefined ? [] : [['PORT', { value: String(port.port) }]]
}

/** They get what the manifest gives them, and nothing of the service's own. */
export const sidecarsOf = ({ sidecars }: Manifest, version: string, materials: Materials): Sidecar[] =>
  sidecars.map(({ name, health, ...process }) => {
    const image = materials.sidecarImages[name] ?? materials.image
    return {
      name,
      health,
      process: startedBy(process, image, [[versionVariable, { value: version }]], materials, name),
    }
  })

function startedBy(
  { command, environment, files, secrets, resources, security }: ManifestProcess,
  image: ImageFound,
  given: readonly [string, Variable][],
  materials: Materials,
  sidecar?: string,
): Process {
  const own = Object.entries(environment).map(([name, value]): [string, Variable] => [name, variable(value)])
  const kept = secrets.map((name): [string, Variable] => [name, { secret: materials.secrets!.name, key: name }])
  return {
    image: image.reference,
    ...(image.pullMark !== undefined && { pullMark: image.pullMark }),
    command,
    variables: Object.fromEntries([...given, ...own, ...kept]),
    files: files.map(({ path }) => ({
      path,
      bundle: materials.files!.name,
      key: fileKey(path, sidecar),
      secret: false,
    })),
    resources,
    security,
  }
}

function variable(value: EnvironmentValue): Variable {
  return 'configMap' in value ? { configuration: value.configMap, key: value.key } : value
}
