// The workspace that a folder belongs to, told by the lock file at its root: where dependencies are locked, and which
// other members the folder needs.
import { existsSync, globSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { BuildError } from '../build-error.ts'
import { lockFileIn, type LockFile } from './lock-file.ts'
import { buildDependencies, productionDependencies, readPackageJson, type PackageJson } from './package-json.ts'
import type { Lock } from './package-manager.ts'

export interface Place {
  /** Folder with the lock file. */
  readonly root: string
  /** Of the service below the root; `''` without workspaces. */
  readonly path: string
  /** Paths of the members that the service needs, itself last. */
  readonly needed: readonly string[]
  /** Those, and the members whose outputs go into what builds make: they may be named among development dependencies. */
  readonly building: readonly string[]
  /** Paths of all members; none without workspaces. */
  readonly members: readonly string[]
  /** undefined: nothing is locked. */
  readonly lock: LockFile | undefined
}

/**
 * @param directory folder of the service; it is its own root unless a lock file above it names it a member
 * @throws BuildError
 */
export function placeOf(directory: string): Place {
  for (let root = directory; root !== dirname(root); root = dirname(root)) {
    const path = relative(root, directory).split(sep).join('/')
    // What lies around in a folder far above is none of the service's, whatever is in it.
    if (path !== '' && !isWorkspace(root)) continue
    const file = lockFileIn(root)
    if (file === undefined) continue
    const lock = readLock(root, file)
    if (path !== '' && !lock.members.includes(path)) continue
    const needed = neededBy(productionDependencies, path, root, lock)
    const building = neededBy(buildDependencies, path, root, lock)
    return { root, path, needed, building, members: lock.members, lock: file }
  }
  return { root: directory, path: '', needed: [''], building: [''], members: [], lock: undefined }
}

function isWorkspace(root: string): boolean {
  if (existsSync(join(root, 'pnpm-workspace.yaml'))) return true
  if (!existsSync(join(root, 'package.json'))) return false
  return readPackageJson(root).workspaces !== undefined
}

function readLock(root: string, { file, text, manager }: LockFile): Lock {
  try {
    return manager.readLock(text, () => memberNames(root))
  } catch (error) {
    throw new BuildError(
      `${join(root, file)} cannot be read: ${(error as Error).message.split('\n')[0]}; make it anew with: ${manager.makesLock}`,
    )
  }
}

/** As the package.json at the root names its members: path -> name. */
function memberNames(root: string): ReadonlyMap<string, string> {
  const { workspaces = [] } = readPackageJson(root)
  const patterns = 'packages' in workspaces ? (workspaces.packages ?? []) : (workspaces as readonly string[])
  const found = globSync(
    patterns.map(pattern => `${pattern.replace(/^\.\/|\/$/g, '')}/package.json`),
    { cwd: root, exclude: ['**/node_modules/**'] },
  )
  return new Map(
    found
      .map(file => dirname(file).split(sep).join('/'))
      .toSorted()
      .map(path => [path, readPackageJson(join(root, path)).name ?? '']),
  )
}

/** What a member needs comes before it. */
function neededBy(
  dependenciesOf: (json: PackageJson) => Readonly<Record<string, string>>,
  path: string,
  root: string,
  lock: Lock,
  seen = new Set<string>(),
): string[] {
  if (seen.has(path)) return []
  seen.add(path)
  const needs = Object.entries(dependenciesOf(readPackageJson(join(root, path))))
  const links = needs.flatMap(([name, range]) => {
    const link = lock.linkOf(path, name, range)
    if (link === undefined) return []
    if (/^\.\.(?:\/|$)/.test(link) || link.startsWith('/'))
      throw new BuildError(
        `${join(root, path, 'package.json')} needs "${name}" out of the folder ${join(root, link)}, which does not belong to ${root}; make both members of one workspace`,
      )
    return [link]
  })
  return [...links.flatMap(link => neededBy(dependenciesOf, link, root, lock, seen)), path]
}
