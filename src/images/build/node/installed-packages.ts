// What an installation brought: packages with their versions and licences, and the programs that scripts find by name.
import { open, readFile } from 'node:fs/promises'
import { existsSync, readFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import type { Component } from '../image-content.ts'

/** A package.json of an installed package, as far as it is needed. */
interface InstalledJson {
  readonly name?: string
  readonly version?: string
  readonly license?: string | { readonly type?: string }
  readonly licenses?: readonly { readonly type?: string }[]
  readonly bin?: string | Readonly<Record<string, string>>
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
}

export interface InstalledPackage {
  readonly name: string
  readonly version: string
  /** Below the folder of the installation. */
  readonly folder: string
  readonly license: string | undefined
  /** It is compiled when it is installed, where nothing fits that is in it. */
  readonly compiles: boolean
  /** Names of what it cannot do without. */
  readonly dependencies: readonly string[]
  /** Files for Node.js to load that are no JavaScript, relative to the folder of the installation. */
  readonly native: readonly string[]
}

const ownManifest = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/@.][^/]*\/package\.json$/

/** @param files paths below the folder, links not among them */
export async function installedPackages(directory: string, files: readonly string[]): Promise<InstalledPackage[]> {
  const manifests = files.filter(path => ownManifest.test(path))
  const native = Map.groupBy(
    files.filter(path => path.endsWith('.node')),
    path => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? '',
  )
  const all = new Set(files)
  const packages = await Promise.all(
    manifests.map(async (path): Promise<InstalledPackage[]> => {
      const json = parsed(await readFile(join(directory, path), 'utf8'))
      const folder = path.slice(0, -'/package.json'.length)
      if (json?.name === undefined || json.version === undefined) return []
      return [
        {
          name: json.name,
          version: json.version,
          folder,
          license: licenseOf(json),
          compiles: all.has(`${folder}/binding.gyp`) && json.scripts?.['install'] !== undefined,
          dependencies: Object.keys(json.dependencies ?? {}),
          native: native.get(folder) ?? [],
        },
      ]
    }),
  )
  return packages.flat()
}

function parsed(text: string): InstalledJson | undefined {
  try {
    return JSON.parse(text) as InstalledJson
  } catch {
    return undefined
  }
}

function licenseOf({ license, licenses }: InstalledJson): string | undefined {
  if (typeof license === 'string') return license
  const types = [license ?? [], licenses ?? []].flat().flatMap(each => each.type ?? [])
  if (types.length === 0) return undefined
  return types.length === 1 ? types[0] : `(${types.join(' OR ')})`
}

/** Each once, sorted by their names. */
export function componentsOf(packages: readonly InstalledPackage[]): Component[] {
  const all = packages.map(({ name, version, license }): Component => ({
    name,
    version,
    purl: `pkg:npm/${name.replace(/^@/, '%40')}@${encodeURIComponent(version)}`,
    ...(license !== undefined && { license }),
  }))
  return [...new Map(all.map(each => [each.purl, each])).values()].toSorted((left, right) =>
    left.purl < right.purl ? -1 : 1,
  )
}

/** A program of a package, and what runs it. */
export interface PackageProgram {
  /** Relative to where the service starts. */
  readonly path: string
  readonly by: 'node' | 'itself' | 'shell'
}

export type Programs = Readonly<Record<string, PackageProgram>>

/**
 * The programs that a script of the service finds, as package managers put them into `node_modules/.bin`: those of
 * the service's own packages before those of the workspace.
 * @param packages paths of folders and links right below a node_modules, in the order of the paths of their services
 * @param path of the service below the directory
 */
export async function packagePrograms(
  directory: string,
  packages: readonly string[],
  path: string,
): Promise<Record<string, PackageProgram>> {
  const programs: Record<string, PackageProgram> = {}
  for (const folder of new Set([path, ''])) {
    const below = folder === '' ? 'node_modules/' : `${folder}/node_modules/`
    for (const place of packages.filter(each => each.startsWith(below) && isName(each.slice(below.length)))) {
      const file = join(directory, place, 'package.json')
      const json = existsSync(file) ? parsed(readFileSync(file, 'utf8')) : undefined
      for (const [name, target] of Object.entries(binariesOf(json))) {
        const source = join(directory, place, target)
        if (programs[name] !== undefined || !existsSync(source)) continue
        programs[name] = { path: relative(path, join(place, target)), by: await runnerOf(source) }
      }
    }
  }
  return programs
}

const isName = (text: string): boolean => /^(?:@[^/]+\/)?[^/@.][^/]*$/.test(text)

function binariesOf(json: InstalledJson | undefined): Readonly<Record<string, string>> {
  if (json?.bin === undefined) return {}
  return typeof json.bin === 'string' ? { [basename(json.name ?? '')]: json.bin } : json.bin
}

export async function runnerOf(file: string): Promise<PackageProgram['by']> {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(128), 0, 128, 0)
    const start = buffer.toString('latin1', 0, bytesRead)
    if (start.startsWith('\x7FELF')) return 'itself'
    return /^#!(?!.*\b(?:node|nodejs)\b)/.test(start) ? 'shell' : 'node'
  } finally {
    await handle.close()
  }
}
