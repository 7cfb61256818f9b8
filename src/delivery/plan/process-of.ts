// How instances, schedules and runs of a release are started: the same image, variables and files for all of them.
// Pure.
import type { Process, Variable } from '../engine/parts.ts'
import { versionVariable, type EnvironmentValue, type Manifest } from '../manifest/manifest.ts'
import { fileKey } from './bundles.ts'
import type { Materials } from './materials.ts'

export function processOf(manifest: Manifest, version: string, materials: Materials): Process {
  const { image, files, secrets, services } = materials
  // A name that several of them give, as DATABASE_URL, is the first one's.
  const granted = services
    .toReversed()
    .flatMap(({ credentials, variables }) =>
      variables.map((name): [string, Variable] => [name, { secret: credentials.name, key: name }]),
    )
  const own = Object.entries(manifest.environment).map(([name, value]): [string, Variable] => [name, variable(value)])
  const kept = manifest.secrets.map((name): [string, Variable] => [name, { secret: secrets!.name, key: name }])
  return {
    image: image.reference,
    ...(image.pullMark !== undefined && { pullMark: image.pullMark }),
    command: manifest.command,
    variables: Object.fromEntries([[versionVariable, { value: version }], ...granted, ...own, ...kept]),
    files: manifest.files.map(({ path }) => ({ path, bundle: files!.name, key: fileKey(path), secret: false })),
    resources: manifest.resources,
    security: manifest.security,
  }
}

function variable(value: EnvironmentValue): Variable {
  return 'configMap' in value ? { configuration: value.configMap, key: value.key } : value
}
