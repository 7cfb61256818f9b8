// Next.js with `output: 'standalone'`: its build leaves a folder with a server and just the packages that it loads,
// which goes into the image instead of all dependencies. What the browser gets lies beside it and is added, as
// Next.js' documentation says.
import type { BuildContext } from '../builder.ts'
import type { Component } from '../image-content.ts'
import { applicationFolder } from '../layers/container-config.ts'
import type { Foundation } from '../layers/foundation.ts'
import { entriesBelow, type LayerEntry } from '../layers/layer.ts'
import { belowUsr } from '../layers/library-places.ts'
import { componentsOf, installedPackages } from './installed-packages.ts'
import { nativeModules } from './native-modules.ts'
import type { NodeRuntime } from './node-runtime.ts'
import type { Project } from './project.ts'
import { standaloneFolders } from './standalone-folders.ts'
import type { StartCommand } from './start-command.ts'

export interface Standalone {
  readonly start: StartCommand
  /** Of the server below the application's folder; `''`: in it. */
  readonly path: string
  readonly content: (below: Pick<Foundation, 'lacks'>) => Promise<StandaloneContent>
}

export interface StandaloneContent {
  readonly entries: readonly LayerEntry[]
  readonly components: readonly Component[]
  readonly notes: readonly string[]
}

/** @param start see `standaloneFolders` */
export function nextStandalone(
  { nodeBinary, base }: Pick<BuildContext, 'nodeBinary' | 'base'>,
  project: Pick<Project, 'directory' | 'path'>,
  runtime: NodeRuntime,
  start: StartCommand,
): Standalone | undefined {
  const folders = standaloneFolders(project, start)
  if (folders === undefined) return undefined
  const [, , ...args] = start.command
  const [{ from: folder }] = folders.roots
  return {
    path: folders.path,
    start: { ...start, command: ['server.js'], variables: { ...start.variables, ...listening(args) } },
    content: async ({ lacks }) => {
      const [own = [], ...added] = await Promise.all(
        folders.roots.map(({ from, to, filter }) => entriesBelow(from, to.slice(1), filter)),
      )
      const files = own
        .filter(({ kind }) => kind === 'file')
        .map(entry => entry.path.slice(applicationFolder.length + 1))
      const packages = await installedPackages(folder, files)
      const native = await nativeModules(folder, files, packages, { nodeBinary, runtime, lacks, needed: [] })
      return {
        entries: [...own, ...added.flat(), ...(base === undefined ? native.entries : native.entries.map(belowUsr))],
        components: componentsOf(packages),
        notes: native.notes,
      }
    },
  }
}

/** The server takes from the environment what `next start` takes as words. */
function listening(args: readonly string[]): Readonly<Record<string, string>> {
  const valueOf = (...names: string[]): string | undefined => {
    for (const [index, word] of args.entries()) {
      if (names.includes(word)) return args[index + 1]
      const name = names.find(each => word.startsWith(`${each}=`))
      if (name !== undefined) return word.slice(name.length + 1)
    }
    return undefined
  }
  const port = valueOf('-p', '--port')
  const keepAlive = valueOf('--keepAliveTimeout')
  return {
    // Else it would listen on the address of the container's name alone.
    HOSTNAME: valueOf('-H', '--hostname') ?? '0.0.0.0',
    ...(port !== undefined && { PORT: port }),
    ...(keepAlive !== undefined && { KEEP_ALIVE_TIMEOUT: keepAlive }),
  }
}
