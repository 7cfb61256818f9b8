// pnpm: pnpm-lock.yaml (versions 5 to 9), whose importers are the members of the workspace. Its packages are links
// into node_modules/.pnpm, relative to each other, and go into an image as they are: what a package cannot reach on a
// developer's machine it cannot reach in the image either.
import { join } from 'node:path/posix'
import { parse } from 'yaml'
import { BuildError } from '../build-error.ts'
import { npmRegistry } from './npm.ts'
import type { Lock, PackageManager } from './package-manager.ts'

type Dependencies = Readonly<Record<string, string | { readonly version?: string }>>

interface Importer {
  readonly dependencies?: Dependencies
  readonly optionalDependencies?: Dependencies
  readonly devDependencies?: Dependencies
}

interface PnpmLock extends Importer {
  readonly lockfileVersion?: string | number
  readonly importers?: Readonly<Record<string, Importer>>
}

// Programs as links instead of shell scripts, which would also name the folder of the build.
const portable = [
  '--config.prefer-symlinked-executables=true',
  '--config.extend-node-path=false',
  '--config.enable-global-virtual-store=false',
  '--config.confirm-modules-purge=false',
]

export const pnpm: PackageManager = {
  name: 'pnpm',
  makesLock: 'pnpm install --lockfile-only',
  readLock: text => lockOf(parse(headOf(text)) as PnpmLock),
  settings: ['.npmrc', 'pnpm-workspace.yaml', '.pnpmfile.cjs', '.pnpmfile.mjs', 'patches'],
  comparesDevelopment: true,
  wantsAllMembers: false,
  installProduction: needed => ({
    args: [
      'install',
      '--prod',
      '--frozen-lockfile',
      '--prefer-offline',
      ...portable,
      ...(needed.includes('') ? [] : needed.map(path => `--filter=./${path}`)),
    ],
  }),
  installAll: {
    args: ['install', '--prod=false', '--frozen-lockfile', '--prefer-offline', '--config.confirm-modules-purge=false'],
  },
  registry: npmRegistry,
  offline: { args: [], environment: { npm_config_offline: 'true', pnpm_config_offline: 'true' } },
  buildScript: ['run', 'build'],
  marks: ['node_modules/.pnpm/lock.yaml'],
  fits: (lock, mark) => lock === mark,
  program: text => ({ name: 'pnpm', version: versionFor(Number(/^lockfileVersion: *'?([\d.]+)/m.exec(text)?.[1])) }),
}

const versionFor = (lock: number): string => (lock >= 9 ? '10.15.0' : lock >= 6 ? '8.15.9' : '7.33.7')

/** The part with the importers: the packages below are most of a file that takes long to read. */
const headOf = (text: string): string =>
  text
    .split(/^---$/m)
    .at(-1)!
    .replace(/^(?:packages|snapshots):[\s\S]*/m, '')

function lockOf(lock: PnpmLock | null): Lock {
  if (lock?.lockfileVersion === undefined) throw new Error('it has no lockfileVersion')
  const importers: Readonly<Record<string, Importer>> = lock.importers ?? { '.': lock }
  return {
    members: Object.keys(importers).filter(path => path !== '.'),
    linkOf: (member, name) => {
      const { dependencies, optionalDependencies, devDependencies } = importers[member === '' ? '.' : member] ?? {}
      const found = dependencies?.[name] ?? optionalDependencies?.[name] ?? devDependencies?.[name]
      const version = typeof found === 'object' ? found.version : found
      const target = /^link:(.*)$/.exec(version ?? '')?.[1]
      if (target !== undefined) return join(member, target)
      const copied = /^file:([^()]*)/.exec(version ?? '')?.[1]
      if (copied !== undefined && importers[copied] !== undefined)
        throw new BuildError(
          `${member} gets a copy of ${copied} when it is installed ("injected"), before that is built; let it be a link: take "injected" out of "dependenciesMeta", and injectWorkspacePackages out of pnpm-workspace.yaml`,
        )
      return undefined
    },
  }
}
