// The dependencies of a service, installed for production alone in a folder of their own, from its lock file.
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { applicationFolder } from '../layers/container-config.ts'
import { BuildError } from '../build-error.ts'
import type { BuildContext } from '../builder.ts'
import type { FileFilter } from '../layers/docker-ignore.ts'
import type { Foundation } from '../layers/foundation.ts'
import { keptLayer, type KeptLayer } from '../layers/kept-layer.ts'
import { entriesBelow, type LayerEntry } from '../layers/layer.ts'
import { belowUsr } from '../layers/library-places.ts'
import { compileDependencies } from './compiled-code.ts'
import { componentsOf, installedPackages, packagePrograms, type Programs } from './installed-packages.ts'
import { withoutLockFile } from './lock-file.ts'
import { nativeModules } from './native-modules.ts'
import type { NodeRuntime } from './node-runtime.ts'
import { patchPackages } from './patch-packages.ts'
import type { Project } from './project.ts'
import { install } from './run-manager.ts'
import { stage, stagedFiles, stagedKey } from './staged-project.ts'
import { berryResolutions, yarnBerry } from './yarn.ts'

/** Changes with what is made of the same files. */
const version = 4

/** @throws BuildError */
export async function dependencyLayer(
  context: BuildContext,
  project: Project,
  runtime: NodeRuntime,
  { lacks }: Pick<Foundation, 'lacks'>,
): Promise<KeptLayer<Programs>> {
  const { root, path, needed, json, lock } = project
  if (lock === undefined) throw withoutLockFile(root, json)
  const files = await stagedFiles(project, lock)
  const key = stagedKey(
    files,
    `${version} ${process.version} ${process.arch}`,
    JSON.stringify([path, needed, lock.wanted, context.base?.digest, context.settings.packages]),
  )
  return keptLayer<Programs>(context, `dependencies-${key}`, async making => {
    // The tar is written after this returns, so the folder stays until the layer is kept.
    const installed = join(making, 'project')
    await mkdir(installed)
    await stage(files, installed)
    await install(context, { root, lock, folder: installed }, lock.manager.installProduction(needed))
    if (lock.manager === yarnBerry) await checkUnchanged(installed, root, lock.text)
    await patchPackages(context, project, installed)
    const names = Object.keys(json.dependencies ?? {})
    if (runtime.isOwn) await compileDependencies(installed, path, names, context.nodeBinary)
    const entries = await installedEntries(installed, [...new Set(['', ...needed])])
    const inside = entries.map(entry => ({ ...entry, path: entry.path.slice(applicationFolder.length + 1) }))
    const paths = inside.filter(({ kind }) => kind === 'file').map(entry => entry.path)
    const packages = await installedPackages(installed, paths)
    const native = await nativeModules(installed, paths, packages, {
      nodeBinary: context.nodeBinary,
      runtime,
      lacks,
      needed: names,
    })
    return {
      entries: [...entries, ...(context.base === undefined ? native.entries : native.entries.map(belowUsr))],
      notes: native.notes,
      components: componentsOf(packages),
      facts: await packagePrograms(
        installed,
        inside.filter(isPackage).map(entry => entry.path),
        path,
      ),
    }
  })
}

const isPackage = ({ kind, path }: LayerEntry): boolean =>
  kind !== 'file' && /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@.][^/]*$/.test(path)

/** The folders are those of the workspace's root and of members. */
async function installedEntries(installed: string, folders: readonly string[]): Promise<LayerEntry[]> {
  const parts = await Promise.all(
    folders.map(folder => {
      const place = join(folder, 'node_modules')
      return entriesBelow(join(installed, place), join(applicationFolder, place), ofPackages).catch(
        (error: NodeJS.ErrnoException) => {
          if (error.code !== 'ENOENT') throw error
          return []
        },
      )
    }),
  )
  return parts.flat()
}

/** What package managers keep for themselves: times and folders of this machine, and addresses with credentials. */
const ownNotes = new Set([
  '.cache',
  '.package-lock.json',
  '.package-map.json',
  '.modules.yaml',
  '.pnpm-workspace-state.json',
  '.pnpm-workspace-state-v1.json',
  '.pnpm/lock.yaml',
  '.yarn-integrity',
  '.yarn-state.yml',
])
/** What compilers leave beside a module: rules, objects, and paths of this machine. */
const compilers =
  /(?:^|\/)build\/(?:(?:Makefile|config\.gypi|binding\.Makefile|[^/]+\.mk)$|[^/]+\/(?:obj\.target|\.deps|\.forge-meta)(?:\/|$))/

const ofPackages: FileFilter = {
  includes: path => !ownNotes.has(path) && !compilers.test(path),
  mayHold: () => false,
}

/** It cannot install for production and refuse to change the lock file at once. */
async function checkUnchanged(installed: string, root: string, before: string): Promise<void> {
  const known = berryResolutions(before)
  const added = [...berryResolutions(await readFile(join(installed, 'yarn.lock'), 'utf8'))].filter(
    name => !known.has(name) && !name.includes('@workspace:'),
  )
  if (added.length > 0)
    throw new BuildError(
      `${join(root, 'yarn.lock')} does not fit the package.json files: it lacks ${added.slice(0, 5).join(', ')}; bring it up to date with: ${yarnBerry.makesLock}`,
    )
}
