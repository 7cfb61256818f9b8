// The program of a package manager: the version that the project names where this machine has it, else fetched once
// from npm's registry and kept beside the layers. npm itself comes with Node.js.
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { cp, mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { satisfies } from 'semver'
import { BuildError } from '../build-error.ts'
import { whileMaking } from '../layers/cache-folder.ts'
import { markUsed } from '../layers/prune-layers.ts'
import { runTool } from '../run-tool.ts'
import { explainFailure } from './explain-failure.ts'
import type { LockFile } from './lock-file.ts'
import { npm } from './npm.ts'
import type { ProgramPackage } from './package-manager.ts'
import { silentRegistries } from './registry-look.ts'

export interface ProgramContext {
  readonly cacheDirectory: string
  /** The folder that is built, as the user knows it. */
  readonly directory: string
  readonly progress: (step: string, cached: boolean) => void
}

/** @param root folder of the lock file @returns its path @throws BuildError when it can be had from nowhere */
export async function managerProgram(context: ProgramContext, root: string, lock: LockFile): Promise<string> {
  const { manager, wanted } = lock
  const own = releasedWith(root)
  if (own !== undefined && manager.settings.includes('.yarnrc.yml')) return own
  const usual = manager.program?.(lock.text)
  if (usual === undefined) return manager.name
  return onMachine(wanted ?? usual) ?? fetched(context, root, wanted ?? usual)
}

/** Later versions of yarn are committed with a project. */
function releasedWith(root: string): string | undefined {
  const settings = join(root, '.yarnrc.yml')
  if (!existsSync(settings)) return undefined
  const path = /^yarnPath: *["']?([^"'\n]+)["']? *$/m.exec(readFileSync(settings, 'utf8'))?.[1]
  return path === undefined ? undefined : join(root, path)
}

/** One that was installed, or that corepack has fetched before. */
function onMachine({ name, version }: ProgramPackage): string | undefined {
  const program = name === 'pnpm' ? 'pnpm' : 'yarn'
  const corepack = join(process.env['COREPACK_HOME'] ?? join(homedir(), '.cache/node/corepack'), 'v1')
  const kept = [`${program}/${version}/bin/${program}.cjs`, `${program}/${version}/bin/${program}.js`]
    .map(path => join(corepack, path))
    .find(path => existsSync(path))
  if (kept !== undefined) return kept
  return (process.env['PATH'] ?? '')
    .split(':')
    .map(folder => join(folder, program))
    .find(path => isInstalled(path, name, version))
}

function isInstalled(path: string, name: string, version: string): boolean {
  if (!existsSync(path)) return false
  for (let folder = dirname(realpathSync(path)); folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (!existsSync(file)) continue
    const found = JSON.parse(readFileSync(file, 'utf8')) as Partial<ProgramPackage>
    return found.name === name && satisfies(found.version ?? '', version)
  }
  return false
}

async function fetched(context: ProgramContext, root: string, { name, version }: ProgramPackage): Promise<string> {
  const { cacheDirectory, directory } = context
  const program = name === 'pnpm' ? 'pnpm' : 'yarn'
  const folder = join(cacheDirectory, `${basename(name)}-${version.replaceAll(/[^\w.-]/g, '_')}`)
  const path = join(folder, 'node_modules/.bin', program)
  if (existsSync(path)) {
    await markUsed(folder)
    return path
  }
  return whileMaking(cacheDirectory, async making => {
    const place = join(making, 'program')
    await mkdir(place)
    // It says which registry, and with which credentials.
    const settings = join(place, '.npmrc')
    if (existsSync(join(root, '.npmrc'))) await cp(join(root, '.npmrc'), settings)
    // Else npm looks for a project in the folders above.
    const args = [
      'install',
      `--prefix=${place}`,
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
      '--loglevel=error',
      `${name}@${version}`,
    ]
    try {
      const silent = await silentRegistries(root, { text: '' }, npm.registry)
      await runTool('npm', args, {
        directory: place,
        project: directory,
        environment: { ...process.env, ...(silent !== undefined && npm.offline.environment) },
        tells: 'first',
        explain: output => explainFailure(output, silent),
      })
    } catch (error) {
      if (!(error instanceof BuildError)) throw error
      throw new BuildError(
        `${program} ${version} is needed for ${directory}, this machine has not got it, and it cannot be fetched; install it with: npm install --global ${name}@${version}\n${error.message}`,
      )
    }
    await rm(settings, { force: true })
    await rename(place, folder).catch((error: NodeJS.ErrnoException) => {
      // Another build was faster.
      if (!existsSync(path)) throw error
    })
    context.progress(`${program} ${version}`, false)
    return path
  })
}
