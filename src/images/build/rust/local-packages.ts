// Packages beside the one that is built: those that it needs by their path, and the root of the workspace, which has the
// lock file and settings of all. An image is made of them, too.
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { readToml } from '../read-toml.ts'

type Needed = Readonly<Record<string, string | { readonly path?: string; readonly workspace?: boolean }>>

interface Needs {
  readonly dependencies?: Needed
  readonly 'build-dependencies'?: Needed
}

interface CargoToml extends Needs {
  readonly target?: Readonly<Record<string, Needs>>
  readonly workspace?: { readonly dependencies?: Needed }
}

const ofWorkspace = ['Cargo.toml', 'Cargo.lock', '.cargo', 'rust-toolchain', 'rust-toolchain.toml']

/** Files and folders that a program is made of, absolute; the folder itself first. */
export function rustInputs(directory: string): string[] {
  const root = workspaceRoot(directory)
  const shared = root === undefined ? {} : (readToml<CargoToml>(join(root, 'Cargo.toml')).workspace?.dependencies ?? {})
  const folders = new Set<string>()
  const visit = (folder: string): void => {
    const file = join(folder, 'Cargo.toml')
    if (folders.has(folder) || !existsSync(file)) return
    folders.add(folder)
    const json = readToml<CargoToml>(file)
    for (const needs of [json, ...Object.values(json.target ?? {})])
      for (const [name, needed] of Object.entries({ ...needs['build-dependencies'], ...needs.dependencies })) {
        if (typeof needed === 'string') continue
        if (needed.path !== undefined) visit(resolve(folder, needed.path))
        const common = needed.workspace === true ? shared[name] : undefined
        if (typeof common === 'object' && common.path !== undefined) visit(resolve(root!, common.path))
      }
  }
  visit(directory)
  const above = root === undefined || root === directory ? [] : ofWorkspace.map(name => join(root, name))
  return [...new Set([directory, ...folders, ...above])]
}

function workspaceRoot(directory: string): string | undefined {
  for (let folder = directory; folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'Cargo.toml')
    if (existsSync(file) && readToml<CargoToml>(file).workspace !== undefined) return folder
  }
  return undefined
}
