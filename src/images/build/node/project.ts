// What is built: a folder with a package.json. Finds out how the service is started and which files belong into
// the image.
import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { BuildError } from '../build-error.ts'
import type { ProjectName } from '../builder.ts'
import { dockerIgnore, type FileFilter } from '../layers/docker-ignore.ts'
import { usuallyIgnored } from '../layers/service-files.ts'
import type { BuildSettings } from '../settings.ts'
import type { PackageProgram, Programs } from './installed-packages.ts'
import { productionDependencies, readPackageJson, type PackageJson } from './package-json.ts'
import { madeSite } from './site-builders.ts'
import { startCommand, startWords, type StartCommand, type StartContext, type Unstartable } from './start-command.ts'
import { placeOf, type Place } from './workspace.ts'

export interface Project extends Place {
  readonly directory: string
  readonly json: PackageJson
  /** As npm knows it. */
  readonly packageName: string
  readonly version: string | undefined
  /** Folders with a `build` script that makes what is started, in the order in which they run. */
  readonly built: readonly string[]
  readonly hasDependencies: boolean
}

export function readProject(directory: string): Project {
  const json = readPackageJson(directory)
  const place = placeOf(directory)
  const packagesAt = (paths: readonly string[]): { readonly path: string; readonly json: PackageJson }[] =>
    paths.map(path => ({ path, json: readPackageJson(join(place.root, path)) }))
  return {
    ...place,
    directory,
    json,
    packageName: json.name ?? '',
    version: json.version,
    built: packagesAt(place.building)
      .filter(({ json: { scripts = {} } }) => scripts['build'] !== undefined)
      .map(({ path }) => join(place.root, path)),
    hasDependencies: packagesAt(place.needed).some(
      ({ json: each }) => Object.keys(productionDependencies(each)).length > 0,
    ),
  }
}

/** Without the @ of a scope, as images are named. */
export function projectName(directory: string): ProjectName {
  const { name, version } = readPackageJson(directory)
  return { name: (name ?? '').replace(/^@/, ''), version }
}

/** What an image is made of, beside what package managers keep elsewhere. */
export function projectInputs(directory: string): string[] {
  const { root, building, members, lock } = placeOf(directory)
  if (root === directory) return [directory]
  const beside = [
    'package.json',
    '.dockerignore',
    'patches',
    ...(lock?.manager.settings ?? []),
    lock?.file ?? [],
  ].flat()
  const manifests = members.filter(path => !building.includes(path)).map(path => join(path, 'package.json'))
  return [...new Set([...beside, ...manifests, ...building])].map(path => join(root, path))
}

const usualEntries = [
  'src/main.ts',
  'src/index.ts',
  'src/server.ts',
  'main.ts',
  'index.ts',
  'server.ts',
  'index.js',
  'server.js',
  'main.js',
]

/**
 * As `build.start` says, else `scripts.start`, else `main`, else the usual names.
 * @param programs of what is installed; undefined: it is not known yet, and each program is taken to be there
 * @throws BuildError
 */
export function startOf(
  { directory, json }: Pick<Project, 'directory' | 'json'>,
  { start, shell }: Pick<BuildSettings, 'start' | 'shell'>,
  programs: Programs | undefined,
): StartCommand {
  const { scripts = {}, main } = json
  const context: StartContext = {
    scripts,
    shell,
    programOf: name => (programs === undefined ? notYetInstalled(name) : ownValue(programs, name)),
    isNodeScript: path => isNodeScript(join(directory, path)),
  }
  if (start !== undefined) return startable(startWords(start, context), `"${start.join(' ')}" (build.start)`, directory)
  if (Object.hasOwn(scripts, 'start'))
    return startable(startCommand('start', context), `the start script "${scripts['start']}"`, directory)
  const site = main === undefined ? madeSite(json) : undefined
  if (site !== undefined) throw new BuildError(`the package.json of ${directory} has no start script: ${site}`)
  const entry = main ?? usualEntries.find(candidate => existsSync(join(directory, candidate)))
  if (entry !== undefined) return { command: [entry], variables: {}, notes: [] }
  throw new BuildError(
    `cannot tell how the service in ${directory} is started: give package.json a start script such as "node src/main.ts", or a "main"`,
  )
}

function startable(found: StartCommand | Unstartable, what: string, directory: string): StartCommand {
  if (!('problem' in found)) return found
  throw new BuildError(
    `${what} of ${directory} cannot run in an image: ${found.problem}; let it start ${found.instead ?? 'one program, such as "node src/main.ts"'}`,
  )
}

/** Where package managers put programs of packages, whatever they are. */
const notYetInstalled = (name: string): PackageProgram | undefined =>
  name.includes('/') ? undefined : { path: `node_modules/.bin/${name}`, by: 'node' }

const ownValue = (programs: Programs, name: string): PackageProgram | undefined =>
  Object.hasOwn(programs, name) ? programs[name] : undefined

function isNodeScript(file: string): boolean {
  try {
    return /\.[cm]?[jt]s$/.test(file) ? existsSync(file) : /^#!.*\bnode\b/.test(readFileSync(file, 'utf8'))
  } catch {
    return false
  }
}

/** Dependencies are a layer of their own, and credentials in none, whatever a .dockerignore takes back. */
const neverIncluded = new Set([
  'node_modules',
  '.git',
  '.npmrc',
  '.yarnrc',
  '.yarnrc.yml',
  '.yarn',
  '.pnp.cjs',
  '.pnp.data.json',
  '.pnp.loader.mjs',
])
const ofDevelopment = ['**/coverage', '**/*.test.[cm][jt]s', '**/*.test.[jt]s', '**/.next/cache']

/**
 * Which files of a folder go into the application layer: those that its .dockerignore leaves, and that of the
 * workspace it is in. The package.json is always there, since Node.js needs it.
 */
export function applicationFilter(directory: string, root = directory): FileFilter {
  const below = relative(root, directory)
  const own = dockerIgnore([...usuallyIgnored, ...ofDevelopment, ...linesOf(join(directory, '.dockerignore'))])
  const outer = dockerIgnore(below === '' ? [] : linesOf(join(root, '.dockerignore')))
  const isNever = (path: string): boolean => path.split('/').some(part => neverIncluded.has(part))
  const outside = (path: string): string => (below === '' ? path : `${below}/${path}`)
  return {
    includes: path =>
      path === 'package.json' || (!isNever(path) && own.includes(path) && outer.includes(outside(path))),
    mayHold: path =>
      !isNever(path) &&
      (own.includes(path) || own.mayHold(path)) &&
      (outer.includes(outside(path)) || outer.mayHold(outside(path))),
  }
}

const linesOf = (file: string): string[] => (existsSync(file) ? readFileSync(file, 'utf8').split(/\r?\n/) : [])
