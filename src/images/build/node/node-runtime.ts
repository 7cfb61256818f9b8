// What is below a Node.js service in its image: Node.js with what it needs, of this machine or of a base image.
import { basename } from 'node:path'
import { BuildError } from '../build-error.ts'
import type { BuildContext } from '../builder.ts'
import { librariesOf, nodePath } from '../layers/base-layer.ts'
import { thisMachine } from '../layers/native-libraries.ts'

export interface NodeRuntime {
  /** Absolute, in the image. */
  readonly program: string
  /** Whether it is that of this machine, which installs dependencies and compiles code. */
  readonly isOwn: boolean
  /** undefined: nobody knows. */
  readonly version: string | undefined
  /** What native modules have to be made for: `linux/x64 with glibc`. */
  readonly system: string
  /** Whether the image has no shared library of a name. */
  readonly lacks: () => Promise<(library: string) => boolean>
}

const libraryFolders: Readonly<Record<string, string>> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }
const triplet = libraryFolders[process.arch] ?? `${process.arch}-linux-gnu`
const folders = [`/lib/${triplet}`, `/usr/lib/${triplet}`, '/lib', '/usr/lib', '/lib64', '/usr/lib64', '/usr/local/lib']

/** @throws BuildError when Node.js cannot run upon the base image */
export function nodeRuntime({ base, nodeBinary }: Pick<BuildContext, 'base' | 'nodeBinary'>): NodeRuntime {
  const own = { program: `/${nodePath}`, isOwn: true, version: process.versions.node, system: thisMachine }
  if (base === undefined)
    return {
      ...own,
      lacks: async () => {
        const names = new Set((await librariesOf(nodeBinary)).map(path => basename(path)))
        return library => !names.has(library)
      },
    }
  const has = (library: string): boolean => folders.some(folder => base.has(`${folder}/${library}`))
  const lacks = async (): Promise<(library: string) => boolean> => library => !has(library)
  const system = has('libc.so.6') ? thisMachine : `linux/${process.arch} with musl`
  const program = ['/usr/local/bin/node', '/usr/bin/node'].find(path => base.has(path))
  if (program !== undefined) {
    const version = /^NODE_VERSION=(.*)$/m.exec((base.config.Env ?? []).join('\n'))?.[1]
    return { program, isOwn: false, version, system, lacks }
  }
  if (system === thisMachine) return { ...own, lacks }
  throw new BuildError(
    `the base image ${base.name} has neither Node.js nor the C library glibc that Node.js of this machine needs; take one that has, such as debian:12-slim or node:24-slim`,
  )
}
