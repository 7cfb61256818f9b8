// Makes what is started: the build scripts of the service and of the members that it needs, in the project itself,
// with everything installed that the lock file says.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { rm, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { interruption } from '../../../host/interruption.ts'
import type { BuildContext } from '../builder.ts'
import { runTool } from '../run-tool.ts'
import { withoutLockFile, type LockFile } from './lock-file.ts'
import { managerProgram } from './manager-program.ts'
import type { Project } from './project.ts'
import { install, runManager, toolEnvironment, type ManagerContext } from './run-manager.ts'

/** @throws BuildError */
export async function buildProject(context: BuildContext, project: Project): Promise<void> {
  const { run } = context.settings
  const { directory, lock } = project
  const built = run === undefined ? project.built : project.built.filter(folder => folder !== directory)
  if (built.length === 0 && run === undefined) return
  await context.lookedAt
  await installed(context, project)
  const manager = lock?.manager.name ?? 'npm'
  for (const folder of built) {
    await runBuildScript(context, project, folder)
    context.progress(folder === directory ? `${manager} run build` : `${manager} run build in ${folder}`, false)
  }
  if (run !== undefined) await runOwn(context, project, run)
}

const npmBuild = ['run', '--silent', 'build']

/** @param folder one of those that the project has built @throws BuildError */
export async function runBuildScript(
  context: ManagerContext,
  { root, lock }: Pick<Project, 'root' | 'lock'>,
  folder: string,
): Promise<void> {
  await runManager(context, { root, lock, folder, tells: 'last' }, { args: lock?.manager.buildScript ?? npmBuild })
}

/** What a person wrote instead of the build script finds programs as a script does. */
async function runOwn(
  context: BuildContext,
  { root, directory, lock }: Project,
  run: readonly string[],
): Promise<void> {
  const [name = '', ...args] = run
  const program = name === lock?.manager.name ? await managerProgram(context, root, lock) : name
  const folders = [...new Set([directory, root])].map(folder => join(folder, 'node_modules/.bin'))
  const environment = toolEnvironment(context.nodeBinary, [...folders, dirname(program)])
  await runTool(program, args, { directory, project: directory, environment, tells: 'last', shownAs: run.join(' ') })
  context.progress(run.join(' '), false)
}

/** Installs where nothing is installed, or what is was made of another lock file. */
async function installed(context: BuildContext, project: Project): Promise<void> {
  const { root, lock, json, hasDependencies } = project
  const isThere = existsSync(join(root, 'node_modules')) || existsSync(join(root, '.pnp.cjs'))
  if (lock === undefined) {
    if (!isThere && (hasDependencies || Object.keys(json.devDependencies ?? {}).length > 0))
      throw withoutLockFile(root, json)
    return
  }
  if (isThere && isUpToDate(root, lock)) return
  const { manager } = lock
  try {
    await install(context, { root, lock, folder: root }, manager.installAll)
  } catch (error) {
    if (interruption()?.aborted) await removeInstalled(project)
    throw error
  }
  // It may have found that nothing had to be done, and is not to be asked again.
  const mark = markIn(root, lock)
  if (mark !== undefined) await utimes(mark, new Date(), new Date())
  const why = isThere ? `node_modules was not made of this ${lock.file}` : 'there was no node_modules'
  context.progress(`${manager.name} ${manager.installAll.args[0]}, because ${why}`, false)
}

/** What was interrupted bears no mark, and would be taken for whole. */
async function removeInstalled({ root, members }: Project): Promise<void> {
  const folders = ['', ...members].map(folder => join(root, folder, 'node_modules'))
  await Promise.all(folders.map(folder => rm(folder, { recursive: true, force: true, maxRetries: 5 })))
}

const markIn = (root: string, { manager }: LockFile): string | undefined =>
  manager.marks.map(path => join(root, path)).find(path => existsSync(path))

/** What was installed in a way that leaves no mark is left alone. */
function isUpToDate(root: string, lock: LockFile): boolean {
  const mark = markIn(root, lock)
  if (mark === undefined || statSync(join(root, lock.file)).mtimeMs <= statSync(mark).mtimeMs) return true
  try {
    return lock.manager.fits?.(lock.text, readFileSync(mark, 'utf8')) ?? false
  } catch {
    return false
  }
}
