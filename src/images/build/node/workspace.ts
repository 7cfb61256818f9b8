// The npm workspace that a folder belongs to, read from the lock file at its root: where dependencies are locked,
// and which other members the folder needs.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'

/** What a package-lock.json says of one package. */
export interface LockedPackage {
  readonly name?: string
  readonly link?: boolean
  readonly resolved?: string
  readonly dev?: boolean
  readonly bin?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

export interface LockFile {
  readonly packages?: Readonly<Record<string, LockedPackage>>
}

export interface Place {
  /** Folder with the lock file. */
  readonly root: string
  /** Of the service below the root; `''` without workspaces. */
  readonly path: string
  /** Paths of the members that the service needs, itself last. */
  readonly needed: readonly string[]
  /** Paths of all members; none without workspaces. */
  readonly members: readonly string[]
}

/** @param directory folder of the service; it is its own root unless a lock file above it names it a member */
export function placeOf(directory: string): Place {
  const alone: Place = { root: directory, path: '', needed: [''], members: [] }
  if (existsSync(join(directory, 'package-lock.json'))) return alone
  for (let root = dirname(directory); root !== dirname(root); root = dirname(root)) {
    const packages = lockFileIn(root)?.packages
    const path = relative(root, directory).split(sep).join('/')
    if (packages?.[path] === undefined) continue
    const members = Object.keys(packages).filter(name => name !== '' && !name.split('/').includes('node_modules'))
    return { root, path, needed: neededBy(path, packages), members }
  }
  return alone
}

/** undefined: there is none that can be read. */
export function lockFileIn(directory: string): LockFile | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, 'package-lock.json'), 'utf8')) as LockFile
  } catch {
    return undefined
  }
}

/** What a member needs comes before it. */
function neededBy(path: string, packages: NonNullable<LockFile['packages']>, seen = new Set<string>()): string[] {
  if (seen.has(path)) return []
  seen.add(path)
  const { dependencies, optionalDependencies } = packages[path] ?? {}
  const links = Object.keys({ ...dependencies, ...optionalDependencies }).flatMap(name => {
    const found = packages[`${path}/node_modules/${name}`] ?? packages[`node_modules/${name}`]
    return found?.link === true && found.resolved !== undefined ? [found.resolved] : []
  })
  return [...links.flatMap(link => neededBy(link, packages, seen)), path]
}
