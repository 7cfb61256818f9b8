// What is built: a folder with a package.json. Finds out how the service is started and which of its
// files belong into the image.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export class BuildError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'BuildError'
  }
}

export interface Project {
  readonly directory: string
  readonly name: string
  readonly version: string
  /** Arguments of Node.js: `['src/main.ts']`. */
  readonly command: readonly string[]
  /** Whether `npm run build` makes what is started. */
  readonly hasBuildScript: boolean
  readonly hasDependencies: boolean
}

interface PackageJson {
  name?: string
  version?: string
  main?: string
  scripts?: Record<string, string>
  dependencies?: Record<string, string>
}

export function readProject(directory: string): Project {
  const file = join(directory, 'package.json')
  let json: PackageJson
  try {
    json = JSON.parse(readFileSync(file, 'utf8')) as PackageJson
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new BuildError(
        `expected a package.json in ${directory}, but there is none; sampan builds Node.js and TypeScript services`,
      )
    throw new BuildError(`${file} cannot be read: ${(error as Error).message}`)
  }
  return {
    directory,
    name: (json.name ?? '').replace(/^@/, ''),
    version: json.version ?? '0.0.0',
    command: startCommand(json, directory),
    hasBuildScript: json.scripts?.['build'] !== undefined,
    hasDependencies: Object.keys(json.dependencies ?? {}).length > 0,
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

/** `scripts.start` when it runs node, else `main`, else the usual names. */
function startCommand({ scripts, main }: PackageJson, directory: string): string[] {
  const start = /^node\s+(.+)$/.exec(scripts?.['start']?.trim() ?? '')
  if (start !== null) return start[1]!.split(/\s+/)
  if (main !== undefined) return [main]
  const found = usualEntries.find(entry => existsSync(join(directory, entry)))
  if (found !== undefined) return [found]
  throw new BuildError(
    `cannot tell how the service in ${directory} is started: give package.json a start script such as "node src/main.ts", or a "main"`,
  )
}

const neverIncluded = new Set(['node_modules', '.git', '.DS_Store', 'coverage'])

interface IgnoreRule {
  readonly pattern: RegExp
  readonly ignored: boolean
}

/**
 * Which files go into the application layer, by the rules of a .dockerignore: the last one that fits decides,
 * `!` takes back. Unlike docker, nothing is taken back out of a folder that is left out as a whole.
 */
export function applicationFilter(directory: string): (path: string) => boolean {
  const file = join(directory, '.dockerignore')
  const rules = existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .map(line => line.trim())
        .filter(line => line !== '' && !line.startsWith('#'))
        .map(toRule)
    : []
  return path => {
    const name = path.slice(path.lastIndexOf('/') + 1)
    if (neverIncluded.has(name) || /\.test\.[cm]?[jt]s$/.test(name)) return false
    return rules.findLast(({ pattern }) => pattern.test(path))?.ignored !== true
  }
}

function toRule(line: string): IgnoreRule {
  const ignored = !line.startsWith('!')
  const name = (ignored ? line : line.slice(1)).replace(/^(?:\.?\/)+|\/+$/g, '')
  const text = name.replaceAll(/\*\*\/|\*\*|\*|\?|[.+^${}()|[\]\\]/g, token => wildcards[token] ?? `\\${token}`)
  return { pattern: new RegExp(`^${text}(?:/.*)?$`), ignored }
}

const wildcards: Readonly<Record<string, string>> = { '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' }
