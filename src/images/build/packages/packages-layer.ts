// The files of Debian packages as a layer of an image, with those of all packages that they depend on. They are
// fetched and unpacked here and never installed: their scripts do not run. What only people read stays behind.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { run } from '../../../host/command.ts'
import type { BuildContext } from '../builder.ts'
import { libraryEntry } from '../layers/base-layer.ts'
import { debianComponent, debianOwners, librariesOfPackages, type DebianPackage } from '../layers/debian-owners.ts'
import type { FileFilter } from '../layers/docker-ignore.ts'
import { whileMaking } from '../layers/cache-folder.ts'
import { keptLayer, type KeptLayer } from '../layers/kept-layer.ts'
import { entriesBelow, type LayerEntry } from '../layers/layer.ts'
import { belowUsr, libraryFolders, triplet } from '../layers/library-places.ts'
import { aptLists } from './apt-lists.ts'
import { downloadPackages, resolvePackages } from './resolve-packages.ts'

export interface PackagesFacts {
  /** Names of the shared libraries that they bring. */
  readonly libraries: readonly string[]
}

/** @param libraries paths on this machine of the libraries that the image has; none with a base image */
export async function packagesLayer(
  context: BuildContext,
  names: readonly string[],
  libraries: readonly string[],
): Promise<KeptLayer<PackagesFacts>> {
  const present = context.base === undefined ? await debianOwners(libraries) : onDebian(context.base.has)
  const packages = await resolved(context, names, present)
  const key = createHash('sha256')
    .update(JSON.stringify([2, packages, present, context.base?.digest]))
    .digest('hex')
    .slice(0, 16)
  return keptLayer(context, `packages-${key}`, async making => {
    const unpacked = join(making, 'unpacked')
    const archives = join(making, 'archives')
    await mkdir(unpacked)
    await mkdir(archives)
    await downloadPackages(packages, archives)
    for (const name of (await readdir(archives)).toSorted())
      await run('dpkg-deb', ['--extract', join(archives, name), unpacked])
    const files = await entriesBelow(unpacked, '', usefulFiles)
    const entries = files.map(entry => ({ ...entry, path: entry.path.slice(1) }))
    const all = [...entries, ...shortcuts(entries)]
    const names = all.map(({ path }) => basename(path)).filter(name => /\.so(?:\.\d+)*$/.test(name))
    return {
      entries:
        context.base === undefined ? [...(await restOf(present, libraries)), ...all] : onTopOf(context.base.has, all),
      components: packages.map(debianComponent),
      facts: { libraries: [...new Set(names)] },
    }
  })
}

/** What apt worked out is good until its lists change. */
async function resolved(
  context: BuildContext,
  names: readonly string[],
  present: readonly DebianPackage[],
): Promise<DebianPackage[]> {
  const lists = await stat(aptLists).catch(() => undefined)
  const key = createHash('sha256')
    .update(JSON.stringify([1, names.toSorted(), present, lists?.mtimeMs, process.env['APT_CONFIG'], process.arch]))
    .digest('hex')
    .slice(0, 16)
  const file = join(context.cacheDirectory, `resolved-${key}.json`)
  if (existsSync(file)) return JSON.parse(await readFile(file, 'utf8')) as DebianPackage[]
  return whileMaking(context.cacheDirectory, async making => {
    const packages = await resolvePackages(names, present, making)
    await writeFile(join(making, 'resolved.json'), JSON.stringify(packages))
    await rename(join(making, 'resolved.json'), file)
    return packages
  })
}

/** The C library is the one thing that must not be mixed: a base image that has one keeps it. */
function onDebian(has: (path: string) => boolean): DebianPackage[] {
  if (!libraryFolders.some(folder => has(`${folder}/libc.so.6`))) return []
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  return [{ name: 'libc6', version: '9999', architecture }]
}

const usefulFiles: FileFilter = {
  includes: path =>
    !/^usr\/share\/(?:doc(?!$|\/[^/]+$|\/[^/]+\/copyright$)|man|info|lintian|bug|locale|doc-base|gtk-doc|menu)(?:\/|$)/.test(
      path,
    ),
  mayHold: () => false,
}

/** Of the packages whose libraries the image has in part, the rest: such as libresolv of the C library. */
async function restOf(present: readonly DebianPackage[], libraries: readonly string[]): Promise<LayerEntry[]> {
  const names = new Set(libraries.map(path => basename(path)))
  return (await librariesOfPackages(present)).filter(path => !names.has(basename(path))).map(libraryEntry)
}

/**
 * Libraries of which Debian has several kinds lie in folders of their own, and a script of the package chooses one
 * by a link: libblas.so.3, for one.
 */
function shortcuts(entries: readonly LayerEntry[]): LayerEntry[] {
  const found = new Map<string, LayerEntry>()
  const kinds = new RegExp(`^usr/lib/${triplet}/([^/]+)/(lib[^/]+\\.so\\.\\d+)$`)
  for (const { path } of entries) {
    const [, folder, name] = kinds.exec(path) ?? []
    if (name === undefined || folder === undefined) continue
    const direct = `usr/lib/${triplet}/${name}`
    if (/^(?:.*-)?(?:blas|lapack|atlas)/.test(folder) && !entries.some(entry => entry.path === direct))
      found.set(direct, { path: direct, kind: 'link', target: `${folder}/${name}` })
  }
  return [...found.values()]
}

/** Without what the base image has, and where it has it. */
const onTopOf = (has: (path: string) => boolean, entries: readonly LayerEntry[]): LayerEntry[] =>
  entries.map(belowUsr).filter(({ kind, path }) => kind === 'directory' || !has(`/${path}`))
