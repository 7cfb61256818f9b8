// The service's own files as entries of a layer: those of its folder and of the members that it needs, or just the
// folder that its build makes.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, normalize } from 'node:path'
import { BuildError } from '../build-error.ts'
import type { FileFilter } from '../layers/docker-ignore.ts'
import { entriesBelow, type LayerEntry } from '../layers/layer.ts'
import type { BuildSettings } from '../settings.ts'
import { applicationFolder } from './compiled-code.ts'
import { applicationFilter, type Project } from './project.ts'
import { entryOf, type StartCommand } from './start-command.ts'

/** @throws BuildError when what is started would not be there */
export async function applicationFiles(
  project: Project,
  { output }: Pick<BuildSettings, 'output'>,
  start: StartCommand,
): Promise<LayerEntry[]> {
  const { root, path: own, needed } = project
  const parts = await Promise.all(
    needed.map(path =>
      path === own && output !== undefined ? builtFiles(project, normalize(output)) : sourceFiles(root, path),
    ),
  )
  const entries = parts.flat()
  if (start.program === undefined) checkEntry(project, entries, start)
  return entries
}

function sourceFiles(root: string, path: string): Promise<LayerEntry[]> {
  const directory = join(root, path)
  return entriesBelow(directory, join(applicationFolder, path), applicationFilter(directory, root))
}

/** A .dockerignore speaks of sources, and not of what is made of them. */
const all: FileFilter = { includes: () => true, mayHold: () => true }

async function builtFiles({ directory, path }: Project, output: string): Promise<LayerEntry[]> {
  const place = join(directory, output)
  if (!existsSync(place) || !statSync(place).isDirectory())
    throw new BuildError(
      `expected the folder ${place} (build.output) after the build, but there is none; let the build script, or build.run, make it`,
    )
  const manifest: LayerEntry = {
    path: join(applicationFolder, path, 'package.json'),
    kind: 'file',
    source: join(directory, 'package.json'),
  }
  return [manifest, ...(await entriesBelow(place, join(applicationFolder, path, output), all))]
}

/** @throws BuildError when Node.js would find no such file */
function checkEntry(
  { directory, path, json }: Project,
  entries: readonly LayerEntry[],
  { command }: StartCommand,
): void {
  const entry = entryOf(command)
  const place = entry === undefined ? undefined : join(applicationFolder, path, entry)
  if (entry === undefined || place === undefined) return
  if (!place.startsWith(`${applicationFolder}/`) || place.split('/').includes('node_modules')) return
  const paths = new Set(entries.map(each => each.path))
  const mains = [mainIn(join(directory, entry)) ?? 'index.js', 'index.json', 'index.node']
  const found = [
    place,
    ...['.js', '.json', '.node'].map(ending => place + ending),
    ...mains.map(main => join(place, main)),
  ]
  const kinds = new Map(entries.map(each => [each.path, each.kind]))
  if (found.some(each => paths.has(each) && kinds.get(each) !== 'directory')) return
  const reason = existsSync(join(directory, entry))
    ? `.dockerignore leaves it out; take it back with a line "!${entry.replace(/^\.\//, '')}", or write into app.yml what the build makes: "build: { output: ${normalize(entry).split('/')[0]} }"`
    : json.scripts?.['build'] === undefined
      ? 'there is no such file, and package.json has no script "build" that would make it'
      : `the script "build" (${json.scripts['build']}) has not made it`
  throw new BuildError(
    `the image of ${directory} would start "node ${command.join(' ')}", and ${entry} is not in it: ${reason}`,
  )
}

function mainIn(folder: string): string | undefined {
  const file = join(folder, 'package.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { main?: string }).main : undefined
}
