// Shared libraries of this machine that native modules below a folder need, so that the image has them too; and
// what is missing, with the Debian package that brings it.
import { open, readdir } from 'node:fs/promises'
import { realpathSync } from 'node:fs'
import { basename, join } from 'node:path'
import { CommandError, run } from '../../../host/command.ts'
import type { LayerEntry } from './layer.ts'

export interface NativeLibraries {
  readonly entries: readonly LayerEntry[]
  readonly notes: readonly string[]
}

/** How the dynamic linker would load a program or library: name -> path, undefined where it is not found. */
export async function linkedLibraries(file: string): Promise<Map<string, string | undefined>> {
  const { stdout } = await run('ldd', [file]).catch((error: unknown) => {
    // It fails for what is not linked dynamically.
    if (error instanceof CommandError) return { stdout: '' }
    throw error
  })
  const found = new Map<string, string | undefined>()
  for (const line of stdout.split('\n')) {
    const match = /^\s*(?:(\S+) => )?(?:(\/\S+) \(0x|not found)/.exec(line)
    const name = match?.[1] ?? (match?.[2] === undefined ? undefined : basename(match[2]))
    if (name !== undefined) found.set(name, match?.[2])
  }
  return found
}

/** What Node.js and Python load; other libraries may lie beside them for other systems. */
const isModule = /\.(?:node|cpython-[^/]*\.so|abi3\.so)$/

/** @param base paths of the libraries that the image has anyway */
export async function nativeLibraries(
  directories: readonly string[],
  base: readonly string[],
): Promise<NativeLibraries> {
  const known = new Set(base.map(path => basename(path)))
  const libraryFolder = base.find(path => /\/libc\.so/.test(path))?.replace(/^\/|\/[^/]*$/g, '') ?? 'usr/lib'
  const entries = new Map<string, LayerEntry>()
  const notes: string[] = []
  for (const directory of directories)
    for (const file of await nativeModules(directory)) {
      const libraries = await linkedLibraries(join(directory, file))
      // Made for another C library, beside a module for this one.
      if ([...libraries.keys()].some(name => name.includes('musl'))) continue
      for (const [name, path] of libraries) {
        if (known.has(name) || path?.startsWith(realpathSync(directory)) === true) continue
        if (path !== undefined)
          entries.set(name, {
            path: /^\/(usr\/)?lib\//.test(path) ? path.slice(1) : `${libraryFolder}/${name}`,
            kind: 'file',
            source: realpathSync(path),
            mode: 0o755,
          })
        else if (isModule.test(file)) notes.push(await missingLibrary(file, name))
      }
    }
  return { entries: [...entries.values()], notes }
}

/** The sentence for a library that is needed and not there. */
export async function missingLibrary(file: string, library: string): Promise<string> {
  const { stdout } = await run('apt-cache', ['pkgnames', library.replace(/\d*\.so.*$/, '').toLowerCase()]).catch(
    () => ({
      stdout: '',
    }),
  )
  const names = debianPackages(library)
  const available = new Set(stdout.split('\n'))
  const name = names.find(candidate => available.has(candidate)) ?? names[0]
  return `${file} needs ${library}, which this machine has not; install it with: apt-get install ${name}, and build again`
}

/** Where the name of a library does not lead to that of its package. */
const renamed: readonly (readonly [RegExp, string])[] = [
  [/^libicu\w+\.so\.(\d+)$/, 'libicu$1'],
  [/^libjpeg\.so\.62$/, 'libjpeg62-turbo'],
  [/^libvips(?:-cpp)?\.so\.(\d+)$/, 'libvips$1'],
  [/^lib(?:glib|gio|gobject|gmodule|gthread)-2\.0\.so\.0$/, 'libglib2.0-0'],
  [/^librsvg-2\.so\.2$/, 'librsvg2-2'],
]

/** Names that the Debian package of a shared library may have, the likeliest first. Source: Debian Policy, 8.1. */
export function debianPackages(library: string): string[] {
  const known = renamed.find(([pattern]) => pattern.test(library))
  const [, stem = library, version = ''] = /^(lib.+?)\.so(?:\.(\d[\d.]*))?$/.exec(library) ?? []
  const usual = stem.toLowerCase().replaceAll('_', '-')
  const name =
    known === undefined
      ? `${usual}${/\d$/.test(usual) && version !== '' ? '-' : ''}${version}`
      : library.replace(known[0], known[1])
  return [name, `${name}t64`]
}

/** Files for this machine's kind of processor that the dynamic linker loads, relative to the folder. */
async function nativeModules(directory: string): Promise<string[]> {
  const names = await readdir(directory, { recursive: true }).catch(() => [])
  const candidates = names.filter(name => /\.node$|\.so(?:\.\d+)*$/.test(name)).toSorted()
  const fitting = await Promise.all(candidates.map(name => isForThisMachine(join(directory, name))))
  return candidates.filter((_name, index) => fitting[index])
}

/** As ELF numbers them. */
const machines: Readonly<Record<string, number>> = { x64: 62, arm64: 183 }

async function isForThisMachine(file: string): Promise<boolean> {
  const handle = await open(file).catch(() => undefined)
  if (handle === undefined) return false
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(20), 0, 20, 0)
    return (
      bytesRead === 20 &&
      buffer.toString('latin1', 1, 4) === 'ELF' &&
      buffer.readUInt16LE(18) === machines[process.arch]
    )
  } catch {
    return false
  } finally {
    await handle.close()
  }
}
