// The service's own files as entries of a layer: those of its folder and of the members that it needs, or just the
// folder that its build makes.
import { existsSync, statSync } from 'node:fs'
import { join, normalize } from 'node:path'
import { applicationFolder } from '../layers/container-config.ts'
import { BuildError } from '../build-error.ts'
import { everything } from '../layers/docker-ignore.ts'
import { entriesBelow, type LayerEntry } from '../layers/layer.ts'
import type { BuildSettings } from '../settings.ts'
import { readPackageJson } from './package-json.ts'
import { applicationFilter, type Project } from './project.ts'
import { entryOf, variablesFileOf, type StartCommand } from './start-command.ts'

/** @throws BuildError when what is started would not be there */
export async function applicationFiles(
  project: Project,
  { output }: Pick<BuildSettings, 'output'>,
  start: StartCommand,
): Promise<LayerEntry[]> {
  const { root, path: own, needed } = project
  const parts = await Promise.all(
    needed.map(path =>
      path === own && output !== undefined
        ? builtFiles(project, join('.', output).replace(/\/$/, ''))
        : sourceFiles(root, path),
    ),
  )
  const entries = parts.flat()
  if (start.program === undefined) checkStart(project, entries, start)
  return entries
}

function sourceFiles(root: string, path: string): Promise<LayerEntry[]> {
  const directory = join(root, path)
  return entriesBelow(directory, join(applicationFolder, path), applicationFilter(directory, root))
}

/** A .dockerignore speaks of sources, and not of what is made of them. */
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
  return [manifest, ...(await entriesBelow(place, join(applicationFolder, path, output), everything))]
}

/** @throws BuildError when Node.js would find no such file */
function checkStart(
  { directory, path, json }: Project,
  entries: readonly LayerEntry[],
  { command }: StartCommand,
): void {
  const files = new Set(entries.filter(({ kind }) => kind !== 'directory').map(entry => entry.path))
  const inImage = (file: string): string => join(applicationFolder, path, file)
  const isOwn = (file: string): boolean => inImage(file).startsWith(`${applicationFolder}/`) && !isPackaged(file)
  const failure = (file: string, why: string): BuildError =>
    new BuildError(
      `the image of ${directory} would start "node ${command.join(' ')}", and ${file} is not in it: ${why}`,
    )
  const variables = variablesFileOf(command)
  if (variables !== undefined && isOwn(variables) && !files.has(inImage(variables)))
    throw failure(
      variables,
      `variables and secrets of an environment are in app.yml ("variables", "secrets"), and are there without the file; leave the option out, or take the file back with a line "!${plain(variables)}" in .dockerignore`,
    )
  const entry = entryOf(command)
  if (entry === undefined || !isOwn(entry)) return
  if (possibleFiles(entry, mainIn(join(directory, entry))).some(file => files.has(inImage(file)))) return
  if (existsSync(join(directory, entry)))
    throw failure(
      entry,
      `.dockerignore leaves it out; take it back with a line "!${plain(entry)}", or write into app.yml what the build makes: "build: { output: ${plain(entry).split('/')[0]} }"`,
    )
  const build = json.scripts?.['build']
  throw failure(
    entry,
    build === undefined
      ? 'there is no such file, and package.json has no script "build" that would make it'
      : `the script "build" (${build}) has not made it`,
  )
}

const isPackaged = (file: string): boolean => file.split('/').includes('node_modules')
const plain = (file: string): string => normalize(file)

/** As Node.js looks for the module that it starts. */
function possibleFiles(entry: string, main: string | undefined): string[] {
  const endings = ['', '.js', '.json', '.node']
  const inFolder = [...(main === undefined ? [] : [main, join(main, 'index')]), 'index']
  return [entry, ...inFolder.map(name => join(entry, name))].flatMap(name => endings.map(ending => name + ending))
}

function mainIn(folder: string): string | undefined {
  return existsSync(join(folder, 'package.json')) ? readPackageJson(folder).main : undefined
}
