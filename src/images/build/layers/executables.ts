// What kind of program a file is: compiled for which processor, or a script for which interpreter.
import { open } from 'node:fs/promises'
import { BuildError } from '../build-error.ts'
import { linkedLibraries, missingLibrary } from './native-libraries.ts'

/** As ELF numbers them. Source: the System V ABI's supplements. */
const machines: Readonly<Record<number, string>> = {
  3: 'ia32',
  8: 'mips',
  20: 'ppc',
  21: 'ppc64',
  22: 's390x',
  40: 'arm',
  62: 'x64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loong64',
}

/** Mach-O, for one processor in either order of bytes. */
const macMagics = ['\xCF\xFA\xED\xFE', '\xFE\xED\xFA\xCF']

export type Executable =
  | { readonly kind: 'compiled'; readonly architecture: string }
  /** `/bin/sh`, or what `/usr/bin/env` is to look for. */
  | { readonly kind: 'script'; readonly interpreter: string }
  /** For another system. */
  | { readonly kind: 'foreign'; readonly system: string }
  | { readonly kind: 'data' }

export async function executableKind(file: string): Promise<Executable> {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(256), 0, 256, 0)
    const start = buffer.toString('latin1', 0, bytesRead)
    if (start.startsWith('\x7FELF') && bytesRead >= 20) {
      const number = buffer[5] === 2 ? buffer.readUInt16BE(18) : buffer.readUInt16LE(18)
      return { kind: 'compiled', architecture: machines[number] ?? `processor number ${number}` }
    }
    if (start.startsWith('MZ')) return { kind: 'foreign', system: 'Windows' }
    if (macMagics.some(magic => start.startsWith(magic))) return { kind: 'foreign', system: 'macOS' }
    const script = /^#!\s*(\S+)(?:[ \t]+(?:-S[ \t]+)?(\S+))?/.exec(start)
    if (script === null) return { kind: 'data' }
    const [, program = '', argument] = script
    return { kind: 'script', interpreter: program.endsWith('/env') && argument !== undefined ? argument : program }
  } finally {
    await handle.close()
  }
}

/**
 * Paths on this machine of the shared libraries that a program of the service loads.
 * @param name of the program, as people know it
 * @throws BuildError when it is for another processor or system, or a library is missing
 */
export async function librariesOfProgram(file: string, name: string): Promise<string[]> {
  const kind = await executableKind(file)
  if (kind.kind === 'foreign')
    throw new BuildError(
      `${name} is a program for ${kind.system}; images need one for Linux: build it for this machine`,
    )
  if (kind.kind !== 'compiled') return []
  if (kind.architecture !== process.arch)
    throw new BuildError(
      `${name} is for processors of the kind ${kind.architecture}, and this machine, for which the image is made, is ${process.arch}; build it for this machine`,
    )
  const libraries = [...(await linkedLibraries(file))]
  const missing = libraries.find(([, path]) => path === undefined)
  if (missing !== undefined) throw new BuildError(await missingLibrary(name, missing[0]))
  return libraries.flatMap(([, path]) => path ?? [])
}
