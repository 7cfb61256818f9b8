// Runs a project's package manager with the Node.js that goes into the image, so that native modules are chosen, or
// compiled, for just that one.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runTool } from '../run-tool.ts'
import { explainFailure } from './explain-failure.ts'
import type { LockFile } from './lock-file.ts'
import { silentRegistries } from './registry-look.ts'
import { managerProgram, type ProgramContext } from './manager-program.ts'
import type { Invocation } from './package-manager.ts'

export interface ManagerContext extends ProgramContext {
  /** The Node.js that goes into the image. */
  readonly nodeBinary: string
}

export interface ManagerRun {
  /** Folder of the lock file. */
  readonly root: string
  /** undefined: npm, which needs none to run a script. */
  readonly lock: LockFile | undefined
  /** Where it runs. */
  readonly folder: string
  readonly tells: 'first' | 'last'
  /** Registries that do not answer. */
  readonly silent?: readonly string[] | undefined
}

/** @throws BuildError */
export async function runManager(
  context: ManagerContext,
  { root, lock, folder, tells, silent }: ManagerRun,
  { args, environment = {} }: Invocation,
): Promise<void> {
  const program = lock === undefined ? 'npm' : await managerProgram(context, root, lock)
  const isScript = /\.[cm]?js$/.test(program)
  await runTool(isScript ? context.nodeBinary : program, isScript ? [program, ...args] : args, {
    directory: folder,
    project: context.directory,
    environment: { ...toolEnvironment(context.nodeBinary, [dirname(program)]), ...environment },
    tells,
    shownAs: `${lock?.manager.name ?? 'npm'} ${args.join(' ')}`,
    explain: output => explainFailure(output, silent),
  })
}

/** Installs what the lock file says; when no registry answers, of what was installed before. @throws BuildError */
export async function install(
  context: ManagerContext,
  { lock, ...run }: Omit<ManagerRun, 'tells'> & { readonly lock: LockFile },
  { args, environment }: Invocation,
): Promise<void> {
  const { offline, registry } = lock.manager
  const silent = await silentRegistries(run.root, lock, registry)
  await runManager(
    context,
    { ...run, lock, tells: 'first', silent },
    silent === undefined
      ? { args, ...(environment !== undefined && { environment }) }
      : { args: [...args, ...offline.args], environment: { ...environment, ...offline.environment } },
  )
}

/** @param folders of further programs */
export function toolEnvironment(nodeBinary: string, folders: readonly string[]): NodeJS.ProcessEnv {
  const place = dirname(dirname(nodeBinary))
  return {
    ...process.env,
    PATH: [dirname(nodeBinary), ...folders.filter(folder => folder !== '.'), process.env['PATH'] ?? ''].join(':'),
    // Native modules are compiled against its own headers where they lie beside it, and nothing is downloaded.
    ...(existsSync(join(place, 'include/node/node_version.h')) && { npm_config_nodedir: place }),
  }
}
