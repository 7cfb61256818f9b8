// Finds the `app.yml` of a service: the one named on the command line, else in this folder or up to three
// folders below it.
import { existsSync, lstatSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parse } from 'yaml'
import { nearestName } from '../delivery/manifest/nearest-name.ts'
import { filesBelow } from './files-below.ts'
import { CommandFailure } from './output.ts'

export const manifestName = 'app.yml'
const depth = 3

export interface FoundManifest {
  readonly file: string
  readonly text: string
}

/** @param given a manifest, or the folder of one */
export function manifestIn(given: string): FoundManifest {
  const file = existsSync(given) && statSync(given).isDirectory() ? join(given, manifestName) : given
  if (!existsSync(file)) throw new CommandFailure(`there is no manifest ${file}`)
  return readManifestFile(file)
}

export function findManifest(service: string, given: string | undefined, directory: string): FoundManifest {
  if (given !== undefined) return manifestIn(given)
  const candidates: PerhapsNamed[] = []
  for (const file of manifestFiles(directory)) {
    const candidate = perhapsNamed(file)
    if (candidate.name === service) return candidate
    candidates.push(candidate)
  }
  // A manifest whose name cannot be read will say so itself when it is checked.
  if (candidates.length === 1 && candidates[0]!.name === undefined) return candidates[0]!
  const names = candidates.flatMap(({ name }) => name ?? [])
  const meant = nearestName(service, names)
  throw new CommandFailure(
    `there is no ${manifestName} of a service "${service}" in ${directory}${meant === undefined ? '' : `; did you mean "${meant}"?`}${meant === undefined && names.length > 0 ? `; there is ${names.join(', ')}` : ''}; name the file with --file`,
  )
}

export interface NamedManifest extends FoundManifest {
  readonly name: string
}

/** Services with a manifest in this folder or below it. */
export const servicesBelow = (directory: string): NamedManifest[] =>
  manifestFiles(directory)
    .map(perhapsNamed)
    .filter((found): found is NamedManifest => found.name !== undefined)

/** In the order in which they are looked at. */
export const manifestFiles = (directory: string): string[] =>
  filesBelow(directory, name => name === manifestName, depth)

/** One whose name cannot be read has none. */
type PerhapsNamed = FoundManifest & { readonly name: string | undefined }

function perhapsNamed(file: string): PerhapsNamed {
  const found = readManifestFile(file)
  return { ...found, name: nameIn(found.text) }
}

export const readManifestFile = (file: string): FoundManifest => ({
  file: relative(process.cwd(), file) || file,
  text: readable(file),
})

function readable(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    // A link that leads nowhere is there.
    if (lstatSync(file, { throwIfNoEntry: false }) === undefined)
      throw new CommandFailure(`there is no manifest ${file}`)
    throw new CommandFailure(`${file} cannot be read: ${(error as Error).message}`)
  }
}

/** undefined: it cannot be read. */
export function nameIn(text: string): string | undefined {
  try {
    const name = (parse(text) as { name?: unknown } | null)?.name
    return typeof name === 'string' ? name : undefined
  } catch {
    return undefined
  }
}
