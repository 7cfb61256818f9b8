// What differs between npm, pnpm and yarn, as data and pure functions: how their lock files are read, what an
// installation needs beside them, and with which words they install and run. Running them is in run-manager.ts.
import type { PackageJson } from './package-json.ts'

/** What a lock file says of the folders of a workspace. */
export interface Lock {
  /** Paths of the members below the root, which is not among them; none without workspaces. */
  readonly members: readonly string[]
  /** Path of the folder below the root that a dependency of a member (or of the root, `''`) stands for; undefined: it is installed. */
  readonly linkOf: (member: string, name: string, range: string) => string | undefined
}

/** Words of a command line, and what is set for it alone. */
export interface Invocation {
  readonly args: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

/** A package of npm's registry that brings the program. */
export interface ProgramPackage {
  readonly name: string
  /** A version, or a range of versions. */
  readonly version: string
}

export interface PackageManager {
  readonly name: 'npm' | 'pnpm' | 'yarn'
  /** The command that makes the lock file and nothing else. */
  readonly makesLock: string
  /** @param memberNames name of each folder that the root's package.json calls a member, by its path @throws when it is no lock file */
  readonly readLock: (text: string, memberNames: () => ReadonlyMap<string, string>) => Lock
  /** Files and folders beside the lock file that an installation reads. */
  readonly settings: readonly string[]
  /** Fields of a package.json, beside those of `stagedFields`, that an installation for production compares with the lock file. */
  readonly comparesDevelopment: boolean
  /** Whether it wants to see members that are not needed. */
  readonly wantsAllMembers: boolean
  /** @param needed paths of the members to install for; `['']` without workspaces */
  readonly installProduction: (needed: readonly string[]) => Invocation
  /** Everything, as the lock file says and nothing else. */
  readonly installAll: Invocation
  /** Where it asks for packages, when nobody says. */
  readonly registry: string
  /** What lets it take what it has kept, and give up at once when that is not enough. */
  readonly offline: Invocation
  /** Runs the script `build` of the folder it is in. */
  readonly buildScript: readonly string[]
  /** Files below the root, one of which an installation leaves there to say of which lock file it was made. */
  readonly marks: readonly string[]
  /** Whether it was made of this one; undefined: only their times tell. */
  readonly fits?: (lock: string, mark: string) => boolean
  /** Which program understands a lock file, when nobody says; undefined: it comes with Node.js. */
  readonly program?: (lock: string) => ProgramPackage
}

const stagedFields = [
  'name',
  'version',
  'private',
  'workspaces',
  'dependencies',
  'optionalDependencies',
  'peerDependencies',
  'peerDependenciesMeta',
  'dependenciesMeta',
  'bundleDependencies',
  'bundledDependencies',
  'overrides',
  'resolutions',
  'installConfig',
  'allowScripts',
  'pnpm',
  'os',
  'cpu',
  'libc',
] as const

/** A package.json as far as an installation has to know it. Scripts would miss the files of their folder. */
export function stagedPackage(json: PackageJson, { comparesDevelopment }: PackageManager): Record<string, unknown> {
  const fields = new Set<string>([...stagedFields, ...(comparesDevelopment ? ['devDependencies'] : [])])
  return Object.fromEntries(Object.entries(json).filter(([field]) => fields.has(field)))
}
