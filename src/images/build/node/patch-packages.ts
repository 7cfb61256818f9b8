// Changes of packages that patch-package makes after an installation: the one script of the project that belongs to
// its dependencies, and not to its files.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BuildError } from '../build-error.ts'
import { runTool } from '../run-tool.ts'
import { readPackageJson } from './package-json.ts'
import type { Project } from './project.ts'
import { toolEnvironment } from './run-manager.ts'

export interface PatchContext {
  readonly nodeBinary: string
  readonly directory: string
  readonly note: (text: string) => void
}

/** Scripts of a project that package managers run after an installation. */
const afterwards = ['install', 'postinstall', 'prepare'] as const

/** @param installed folder of the installation @throws BuildError */
export async function patchPackages(context: PatchContext, { root }: Project, installed: string): Promise<void> {
  const { scripts = {} } = readPackageJson(root)
  const script = afterwards.map(name => scripts[name] ?? '').find(text => /\bpatch-package\b/.test(text))
  if (script === undefined || !existsSync(join(installed, 'patches'))) return
  const program = [installed, root]
    .map(folder => join(folder, 'node_modules/patch-package/index.js'))
    .find(path => existsSync(path))
  if (program === undefined)
    throw new BuildError(
      `the packages of ${root} are changed by "${script}", and patch-package is not installed; make it one of "dependencies", and bring the lock file up to date`,
    )
  await runTool(context.nodeBinary, [program, '--error-on-fail'], {
    directory: installed,
    project: context.directory,
    environment: toolEnvironment(context.nodeBinary, []),
    tells: 'last',
    shownAs: 'patch-package',
  })
}

/** What of the project's own scripts does not run for the image's dependencies, though it may change them. */
export function notRun({ json }: Pick<Project, 'json'>): string[] {
  return (['install', 'postinstall'] as const).flatMap(name => {
    const text = json.scripts?.[name]
    if (text === undefined || /^\s*patch-package(?:\s+--?\S+)*\s*$/.test(text)) return []
    return [`the script "${name}" (${text}) does not run for the image; what it writes into node_modules is not there`]
  })
}
