// What an installation for production has to see of a project: lock file, settings, package.json files without their
// scripts, and packages that lie in the project itself. All of it is the key of the layer that is installed from it.
import { createHash } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { LockFile } from './lock-file.ts'
import { productionDependencies, readPackageJson } from './package-json.ts'
import { stagedPackage } from './package-manager.ts'
import type { Place } from './workspace.ts'

export interface StagedFile {
  /** Below the root. */
  readonly path: string
  readonly content: Buffer
}

/** @param lock that of the place */
export async function stagedFiles({ root, path, needed, members }: Place, lock: LockFile): Promise<StagedFile[]> {
  const { manager } = lock
  const folders = [...new Set(['', ...(manager.wantsAllMembers ? members : []), ...needed])].filter(folder =>
    existsSync(join(root, folder, 'package.json')),
  )
  const manifests = folders.map((folder): StagedFile => {
    const json = stagedPackage(readPackageJson(join(root, folder)), manager)
    // Nothing depends on their versions, which change more often than what is installed; yarn wants one.
    if (folder === '' || folder === path) json['version'] = '0.0.0'
    return { path: join(folder, 'package.json'), content: Buffer.from(JSON.stringify(json)) }
  })
  const beside = [...manager.settings, ...patchesOf(root), ...folders.flatMap(folder => localPackages(root, folder))]
  const files = await Promise.all([...new Set(beside)].map(name => filesAt(root, name)))
  return [
    { path: lock.file, content: Buffer.from(lock.text) },
    ...manifests,
    ...files.flat().filter(file => !manifests.some(manifest => manifest.path === file.path)),
  ]
}

/** Changes when something else would be installed. */
export function stagedKey(files: readonly StagedFile[], ...said: readonly string[]): string {
  const hash = createHash('sha256').update(said.join('\n'))
  for (const { path, content } of files) hash.update(`\n${path} ${content.length}\n`).update(content)
  return hash.digest('hex').slice(0, 16)
}

export async function stage(files: readonly StagedFile[], directory: string): Promise<void> {
  for (const { path, content } of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), content)
  }
}

/** Dependencies that are folders or archives of the project: `file:vendor/a-1.0.0.tgz`. */
function localPackages(root: string, folder: string): string[] {
  const ranges = Object.values(productionDependencies(readPackageJson(join(root, folder))))
  return ranges.flatMap(range => {
    const path = /^(?:file|portal|link):(.*)$/.exec(range)?.[1]
    if (path === undefined || path.startsWith('/')) return []
    const place = relative(root, join(root, folder, path))
    return place.startsWith('..') || place === '' ? [] : [place]
  })
}

/** Where patch-package and pnpm look for changes of packages. */
function patchesOf(root: string): string[] {
  return existsSync(join(root, 'patches')) ? ['patches'] : []
}

/** Of a folder, everything below that is not installed. */
async function filesAt(root: string, path: string): Promise<StagedFile[]> {
  const place = join(root, path)
  if (!existsSync(place)) return []
  if (statSync(place).isFile()) return [{ path, content: await readFile(place) }]
  const names = (await readdir(place)).filter(name => name !== 'node_modules' && name !== '.git').toSorted()
  return (await Promise.all(names.map(name => filesAt(root, join(path, name))))).flat()
}
