// Which lock file of a folder counts, and which package manager reads it.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BuildError } from '../build-error.ts'
import { npm } from './npm.ts'
import type { PackageManager, ProgramPackage } from './package-manager.ts'
import { readPackageJson, readWhole, type PackageJson } from './package-json.ts'
import { pnpm } from './pnpm.ts'
import { isBerry, yarnBerry, yarnClassic } from './yarn.ts'

export interface LockFile {
  readonly file: string
  readonly text: string
  readonly manager: PackageManager
  /** The program and its version as package.json asks for it; undefined: it says nothing. */
  readonly wanted: ProgramPackage | undefined
  /** Why it was taken, where there were several. */
  readonly note: string | undefined
}

/** In the order in which npm itself looks, npm first: it comes with Node.js. */
const lockFiles: Readonly<Record<string, PackageManager['name']>> = {
  'npm-shrinkwrap.json': 'npm',
  'package-lock.json': 'npm',
  'pnpm-lock.yaml': 'pnpm',
  'yarn.lock': 'yarn',
}

/** What only one package manager has in a project. */
const signs: readonly (readonly [file: string, manager: PackageManager['name']])[] = [
  ['pnpm-workspace.yaml', 'pnpm'],
  ['.yarnrc.yml', 'yarn'],
]

/** @throws BuildError when it belongs to another package manager than the package.json names */
export function lockFileIn(directory: string): LockFile | undefined {
  const present = Object.keys(lockFiles).filter(name => existsSync(join(directory, name)))
  const [first] = present
  if (first === undefined || !existsSync(join(directory, 'package.json'))) return undefined
  const wanted = wantedManager(readPackageJson(directory))
  const [sign, hinted] = signs.find(([name]) => existsSync(join(directory, name))) ?? []
  const usual = present.find(name => lockFiles[name] === hinted) ?? first
  const file = wanted === undefined ? usual : present.find(name => lockFiles[name] === wanted.name)
  if (file === undefined)
    throw new BuildError(
      `${join(directory, 'package.json')} names ${wanted!.name} as its package manager, but beside it is ${first} of ${lockFiles[first]}; make the lock file of ${wanted!.name} with: ${makesLock(wanted!.name)}`,
    )
  const text = readWhole(join(directory, file))
  const manager = managerOf(lockFiles[file]!, text)
  const others = present.filter(name => lockFiles[name] !== manager.name)
  const ofSign = lockFiles[file] === hinted ? `there is ${sign}` : 'package.json names no packageManager'
  const reason = wanted === undefined ? ofSign : `package.json names ${wanted.name}`
  return {
    file,
    text,
    manager,
    wanted: wanted?.version === undefined ? undefined : programOf(manager, wanted.version),
    note:
      others.length === 0
        ? undefined
        : `there are ${present.join(' and ')} in ${directory}; ${file} is taken, because ${reason}; delete what is not used`,
  }
}

function managerOf(name: PackageManager['name'], text: string): PackageManager {
  if (name === 'npm') return npm
  if (name === 'pnpm') return pnpm
  return isBerry(text) ? yarnBerry : yarnClassic
}

const programOf = (manager: PackageManager, version: string): ProgramPackage => ({
  name: manager === yarnBerry ? '@yarnpkg/cli-dist' : manager.name,
  version,
})

interface WantedManager {
  readonly name: PackageManager['name']
  readonly version: string | undefined
}

/** As corepack and npm read it. Others than these three are told by their lock files. */
export function wantedManager({ packageManager, devEngines }: PackageJson): WantedManager | undefined {
  const [, name, version] = /^(npm|pnpm|yarn)(?:@([^+]+))?/.exec(packageManager ?? '') ?? []
  if (name !== undefined) return { name: name as PackageManager['name'], version }
  const engine = [devEngines?.packageManager ?? []].flat().find(each => /^(?:npm|pnpm|yarn)$/.test(each.name ?? ''))
  return engine === undefined ? undefined : { name: engine.name as PackageManager['name'], version: engine.version }
}

const makesLock = (name: PackageManager['name']): string =>
  ({ npm: npm.makesLock, pnpm: pnpm.makesLock, yarn: 'yarn install' })[name]

/** What to say where dependencies are not locked. */
export function withoutLockFile(directory: string, json: PackageJson): BuildError {
  const name = wantedManager(json)?.name
  const expected = name === undefined ? 'package-lock.json, pnpm-lock.yaml or yarn.lock' : fileOf(name)
  const bun = ['bun.lock', 'bun.lockb'].find(file => existsSync(join(directory, file)))
  const why = bun === undefined ? 'because a build must be repeatable' : `because ${bun} can be read by Bun only`
  return new BuildError(
    `expected a ${expected} beside ${join(directory, 'package.json')}, ${why}; make one with: ${makesLock(name ?? 'npm')}`,
  )
}

const fileOf = (name: PackageManager['name']): string =>
  Object.keys(lockFiles).findLast(file => lockFiles[file] === name)!
