// What is built: a folder with a package.json. Finds out how the service is started and which files belong into
// the image.
import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { BuildError } from '../build-error.ts'
import { dockerIgnore, type FileFilter } from '../layers/docker-ignore.ts'
import { startCommand, type StartCommand } from './start-command.ts'
import { lockFileIn, placeOf, type Place } from './workspace.ts'

export interface Project extends StartCommand, Place {
  readonly directory: string
  /** Without the @ of a scope, as images are named. */
  readonly name: string
  /** As npm knows it. */
  readonly packageName: string
  readonly version: string | undefined
  /** Folders with a `build` script that makes what is started, in the order in which they run. */
  readonly built: readonly string[]
  readonly hasDependencies: boolean
}

interface PackageJson {
  name?: string
  version?: string
  main?: string
  scripts?: Record<string, string>
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

export function readProject(directory: string): Project {
  const json = readPackage(directory)
  const place = placeOf(directory)
  return {
    ...place,
    ...howToStart(json, directory, place),
    directory,
    name: (json.name ?? '').replace(/^@/, ''),
    packageName: json.name ?? '',
    version: json.version,
    built: place.needed
      .map(path => join(place.root, path))
      .filter(folder => readPackage(folder).scripts?.['build'] !== undefined),
    hasDependencies: place.needed.some(path => {
      const { dependencies, optionalDependencies } = readPackage(join(place.root, path))
      return Object.keys({ ...dependencies, ...optionalDependencies }).length > 0
    }),
  }
}

function readPackage(directory: string): PackageJson {
  const file = join(directory, 'package.json')
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as PackageJson
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new BuildError(
        `expected a package.json in ${directory}, but there is none; sampan builds Node.js and TypeScript services`,
      )
    throw new BuildError(`${file} cannot be read: ${(error as Error).message}`)
  }
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

/** As `scripts.start` says, else `main`, else the usual names. */
function howToStart({ scripts = {}, main }: PackageJson, directory: string, place: Place): StartCommand {
  const { start } = scripts
  if (start !== undefined) {
    const found = startCommand('start', {
      scripts,
      programOf: name => installedProgram(name, place),
      isNodeScript: path => isNodeScript(join(directory, path)),
    })
    if (!('problem' in found)) return found
    throw new BuildError(
      `the start script "${start}" of ${directory} cannot run in an image: ${found.problem}; let it start one program, such as "node src/main.ts"`,
    )
  }
  const entry = main ?? usualEntries.find(candidate => existsSync(join(directory, candidate)))
  if (entry !== undefined) return { command: [entry], variables: {}, notes: [] }
  throw new BuildError(
    `cannot tell how the service in ${directory} is started: give package.json a start script such as "node src/main.ts", or a "main"`,
  )
}

/** npm puts the programs of packages into `node_modules/.bin`, the nearest one first. */
function installedProgram(name: string, { root, path }: Place): string | undefined {
  const packages = Object.entries(lockFileIn(root)?.packages ?? {})
  const holds = (folder: string): boolean =>
    packages.some(
      ([key, { dev, bin }]) =>
        dev !== true &&
        bin?.[name] !== undefined &&
        key.startsWith(folder) &&
        /^(?:@[^/]+\/)?[^/]+$/.test(key.slice(folder.length)),
    )
  const folder = [...new Set([path === '' ? '' : `${path}/`, ''])].find(place => holds(`${place}node_modules/`))
  return folder === undefined ? undefined : join(relative(path, folder), 'node_modules/.bin', name)
}

function isNodeScript(file: string): boolean {
  try {
    return /\.[cm]?[jt]s$/.test(file) ? existsSync(file) : /^#!.*\bnode\b/.test(readFileSync(file, 'utf8'))
  } catch {
    return false
  }
}

/** Dependencies are a layer of their own, whatever a .dockerignore takes back. */
const neverIncluded = new Set(['node_modules', '.git'])
const usuallyIgnored = ['**/.DS_Store', '**/coverage', '**/*.test.[cm][jt]s', '**/*.test.[jt]s']

/**
 * Which files of a folder go into the application layer: those that its .dockerignore leaves, and that of the
 * workspace it is in. The package.json is always there, since Node.js needs it.
 */
export function applicationFilter(directory: string, root = directory): FileFilter {
  const below = relative(root, directory)
  const own = dockerIgnore([...usuallyIgnored, ...linesOf(join(directory, '.dockerignore'))])
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
