// The Debian packages that files of this machine belong to, with their versions, for lists of what is in an image.
// Best effort: where there is no dpkg, or a file is nobody's, it is not in the list.
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../../../host/command.ts'
import type { Component } from '../image-content.ts'

const lists = '/var/lib/dpkg/info'

export interface DebianPackage {
  readonly name: string
  readonly version: string
  readonly architecture: string
}

export async function debianComponents(paths: readonly string[]): Promise<Component[]> {
  return (await debianOwners(paths)).map(debianComponent)
}

export function debianComponent({ name, version, architecture }: DebianPackage): Component {
  const system = /^ID=(\w+)/m.exec(existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '')?.[1]
  return {
    name,
    version,
    purl: `pkg:deb/${system ?? 'debian'}/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}`,
  }
}

/** Sorted by their names. */
export async function debianOwners(paths: readonly string[]): Promise<DebianPackage[]> {
  const wanted = new Set(paths.flatMap(placesOf))
  if (wanted.size === 0) return []
  const names: string[] = []
  for (const file of (await readdir(lists).catch(() => [])).filter(name => name.endsWith('.list')).toSorted()) {
    const lines = (await readFile(join(lists, file), 'utf8')).split('\n')
    if (lines.some(line => wanted.has(line))) names.push(file.slice(0, -'.list'.length))
  }
  return installedPackages(names)
}

/** @param names as dpkg knows them, such as `libc6:amd64` */
async function installedPackages(names: readonly string[]): Promise<DebianPackage[]> {
  if (names.length === 0) return []
  const format = '${Package}\t${Version}\t${Architecture}\n'
  const { stdout } = await run('dpkg-query', ['--show', `--showformat=${format}`, ...names])
  return stdout
    .trim()
    .split('\n')
    .map(line => {
      const [name = '', version = '', architecture = ''] = line.split('\t')
      return { name, version, architecture }
    })
}

/** Shared libraries among the files of installed packages, as dpkg lists them. */
export async function librariesOfPackages(packages: readonly DebianPackage[]): Promise<string[]> {
  const all = await Promise.all(
    packages.map(async ({ name, architecture }) => {
      const file = [`${name}:${architecture}.list`, `${name}.list`].map(list => join(lists, list)).find(existsSync)
      return file === undefined ? [] : (await readFile(file, 'utf8')).split('\n')
    }),
  )
  return all.flat().filter(path => /\/lib[^/]+\.so(?:\.[\d.]+)?$/.test(path) && existsSync(path))
}

/** A package may have its files below /lib where this machine has them below /usr/lib, and the other way round. */
function placesOf(path: string): string[] {
  const real = existsSync(path) ? realpathSync(path) : path
  return [path, real].flatMap(place => [place, place.startsWith('/usr/') ? place.slice(4) : `/usr${place}`])
}
