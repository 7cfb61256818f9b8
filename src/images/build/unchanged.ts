// Whether everything in some folders is as it was. Looked at are names, sizes and times of change, not contents, so that
// a thousand files take some milliseconds.
import { lstatSync, readdirSync, type BigIntStats } from 'node:fs'
import { join, relative } from 'node:path'
import { run } from '../../host/command.ts'

/** Path -> what changes with its content. */
export type Snapshot = ReadonlyMap<string, string>

const notLookedInto = new Set(['node_modules', '.git'])
/** Folders that builds write into, where no git says what is ignored. */
const usualOutputs =
  /(?:^|\/)(?:dist|build|out|target|\.next|\.nuxt|\.output|\.svelte-kit|\.cache|__pycache__)\/|\.tsbuildinfo$/

/** @param paths files and folders */
export function snapshotOf(paths: readonly string[]): Snapshot {
  const found = new Map<string, string>()
  const visit = (path: string): void => {
    const stat = statOf(path)
    if (stat === undefined) return
    if (!stat.isDirectory()) {
      found.set(path, `${stat.mode} ${stat.size} ${stat.ctimeNs} ${stat.ino}`)
      return
    }
    for (const name of namesIn(path)) if (!notLookedInto.has(name)) visit(join(path, name))
  }
  for (const path of paths) visit(path)
  return found
}

/** Nothing of what has just gone, with or without the folder that it was in. */
function statOf(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

/** None of a folder that has just gone. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw error
  }
}

/**
 * Whether what differs is nothing but what the build itself made; else somebody changed a file meanwhile.
 * @param output see `isOutput`
 */
export async function isOwnDoing(
  directory: string,
  before: Snapshot,
  after: Snapshot,
  output: string | undefined,
): Promise<boolean> {
  const others = differing(before, after).filter(path => !isOutput(relative(directory, path), output))
  return others.length === 0 || (await outputsIn(directory, others)).size === others.length
}

/** Paths of what came, went, or changed. */
export const differing = (before: Snapshot, after: Snapshot): string[] =>
  [...new Set([...before.keys(), ...after.keys()])].filter(path => before.get(path) !== after.get(path))

/**
 * @param path relative to the folder that is built, as is `output`
 * @param output folder that the project's own build makes, where that is said
 */
export const isOutput = (path: string, output: string | undefined): boolean =>
  usualOutputs.test(path) || (output !== undefined && path.startsWith(`${output.replace(/^\.\/|\/$/g, '')}/`))

/** Those that git is told to ignore; none where there is no git. */
export async function outputsIn(directory: string, paths: readonly string[]): Promise<ReadonlySet<string>> {
  if (paths.length === 0) return new Set()
  try {
    const { stdout } = await run('git', ['-C', directory, 'check-ignore', '-z', '--stdin'], { input: paths.join('\0') })
    return new Set(stdout.split('\0').filter(path => path !== ''))
  } catch {
    return new Set()
  }
}
