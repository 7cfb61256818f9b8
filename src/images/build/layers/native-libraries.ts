// Shared libraries of this machine that native modules below a folder need, so that the image has them too; and
// what is missing, with the Debian package that brings it.
import { open, readdir } from 'node:fs/promises'
import { realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
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

/** A file that is loaded into programs, as far as an image has to know it. */
export interface NativeFile {
  /** Relative to the folder that was looked through. */
  readonly path: string
  /** `linux/x64 with glibc` */
  readonly madeFor: string
  /** What the dynamic linker loads with it on this machine: name -> path, undefined where it is not found. */
  readonly libraries: ReadonlyMap<string, string | undefined>
}

/** What native modules have to be made for to be loaded by the Node.js of this machine. */
export const thisMachine = `linux/${process.arch} with glibc`

export const nativeFiles = (directory: string, paths: readonly string[]): Promise<NativeFile[]> =>
  Promise.all(
    paths.map(async (path): Promise<NativeFile> => {
      const system = await systemOf(join(directory, path))
      if (system !== `linux/${process.arch}`) return { path, madeFor: system, libraries: new Map() }
      const libraries = await linkedLibraries(join(directory, path))
      const isMusl = [...libraries.keys()].some(name => name.includes('musl'))
      return { path, madeFor: isMusl ? `${system} with musl` : thisMachine, libraries }
    }),
  )

export interface NeededLibraries {
  readonly entries: readonly LayerEntry[]
  readonly missing: readonly { readonly file: string; readonly library: string }[]
}

/**
 * @param directory that the files are in; what they need from there goes into the image anyway
 * @param lacks whether the image has no library of this name
 */
export function neededLibraries(
  directory: string,
  files: readonly NativeFile[],
  lacks: (library: string) => boolean,
): NeededLibraries {
  const own = realpathSync(directory)
  const entries = new Map<string, LayerEntry>()
  const missing: { file: string; library: string }[] = []
  for (const { path: file, madeFor, libraries } of files) {
    if (madeFor !== thisMachine) continue
    const usualFolder = dirname(libraries.get('libc.so.6') ?? '/usr/lib/libc.so.6').slice(1)
    for (const [library, path] of libraries) {
      if (!lacks(library) || path?.startsWith(own) === true) continue
      if (path === undefined) missing.push({ file, library })
      else
        entries.set(library, {
          path: /^\/(usr\/)?lib\//.test(path) ? path.slice(1) : `${usualFolder}/${library}`,
          kind: 'file',
          source: realpathSync(path),
          mode: 0o755,
        })
    }
  }
  return { entries: [...entries.values()], missing }
}

/** What Node.js and Python load; other libraries may lie beside them for other systems. */
const isModule = /\.(?:node|cpython-[^/]*\.so|abi3\.so)$/

/** The same for all that is in some folders. @param base paths of the libraries that the image has anyway */
export async function nativeLibraries(
  directories: readonly string[],
  base: readonly string[],
): Promise<NativeLibraries> {
  const known = new Set(base.map(path => basename(path)))
  const found = await Promise.all(
    directories.map(async directory => {
      const names = await readdir(directory, { recursive: true }).catch(() => [])
      const files = await nativeFiles(directory, names.filter(isNativeName).toSorted())
      return neededLibraries(directory, files, library => !known.has(library))
    }),
  )
  const missing = found.flatMap(each => each.missing).filter(({ file }) => isModule.test(file))
  return {
    entries: found.flatMap(({ entries }) => entries),
    notes: await Promise.all(missing.map(({ file, library }) => missingLibrary(file, library))),
  }
}

export const isNativeName = (name: string): boolean => /\.node$|\.so(?:\.\d+)*$/.test(name)

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

/** As ELF numbers them. Source: the System V ABI's supplements. */
const machines: Readonly<Record<number, string>> = { 3: 'ia32', 40: 'arm', 62: 'x64', 183: 'arm64', 243: 'riscv64' }

/** `linux/x64`, `macOS`, `Windows` */
async function systemOf(file: string): Promise<string> {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(20), 0, 20, 0)
    const start = buffer.toString('latin1', 0, bytesRead)
    if (start.startsWith('\x7FELF') && bytesRead === 20) {
      const number = buffer.readUInt16LE(18)
      return `linux/${machines[number] ?? `processor number ${number}`}`
    }
    if (start.startsWith('MZ')) return 'Windows'
    return /^(?:\xCF\xFA\xED\xFE|\xFE\xED\xFA|\xCA\xFE\xBA\xBE)/.test(start) ? 'macOS' : 'nothing known'
  } finally {
    await handle.close()
  }
}
