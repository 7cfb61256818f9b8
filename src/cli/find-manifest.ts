// Finds the `app.yml` of a service: the one named on the command line, else in this folder or up to three
// folders below it.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parse } from 'yaml'
import { nearestName } from '../delivery/manifest/nearest-name.ts'
import { CommandFailure } from './output.ts'

export const manifestName = 'app.yml'
const depth = 3
const skipped = new Set(['node_modules', 'dist'])

export interface FoundManifest {
  readonly file: string
  readonly text: string
}

/** @param given a manifest, or the folder of one */
export function manifestIn(given: string): FoundManifest {
  const file = existsSync(given) && statSync(given).isDirectory() ? join(given, manifestName) : given
  if (!existsSync(file)) throw new CommandFailure(`there is no manifest ${file}`)
  return read(file)
}

export function findManifest(service: string, given: string | undefined, directory: string): FoundManifest {
  if (given !== undefined) return manifestIn(given)
  const candidates = manifestsBelow(directory)
  const match = candidates.find(({ name }) => name === service)
  if (match !== undefined) return match
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
  manifestsBelow(directory).filter((found): found is NamedManifest => found.name !== undefined)

/** All of them, also those whose name cannot be read. */
const manifestsBelow = (directory: string): (FoundManifest & { readonly name: string | undefined })[] =>
  filesBelow(directory, depth)
    .map(read)
    .map(found => ({ ...found, name: nameIn(found.text) }))

function filesBelow(directory: string, levels: number): string[] {
  const here = join(directory, manifestName)
  const found = existsSync(here) ? [here] : []
  if (levels === 0) return found
  const below = readdirSync(directory, { withFileTypes: true }).filter(
    entry => entry.isDirectory() && !entry.name.startsWith('.') && !skipped.has(entry.name),
  )
  return [...found, ...below.flatMap(entry => filesBelow(join(directory, entry.name), levels - 1))]
}

const read = (file: string): FoundManifest => ({
  file: relative(process.cwd(), file) || file,
  text: readFileSync(file, 'utf8'),
})

function nameIn(text: string): string | undefined {
  try {
    const name = (parse(text) as { name?: unknown } | null)?.name
    return typeof name === 'string' ? name : undefined
  } catch {
    return undefined
  }
}
