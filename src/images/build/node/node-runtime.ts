// What is below a Node.js service in its image: Node.js with what it needs, of this machine or of a base image.
import { realpathSync } from 'node:fs'
import { BuildError } from '../build-error.ts'
import type { BuildContext } from '../builder.ts'
import { librariesOf, nodePath, nodeProgram } from '../layers/base-layer.ts'
import { filesKey } from '../layers/files-key.ts'
import { foundation, type Foundation } from '../layers/foundation.ts'
import { keptLayer } from '../layers/kept-layer.ts'
import { libraryFolders } from '../layers/library-places.ts'
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
}

/** @throws BuildError when Node.js cannot run upon the base image */
export function nodeRuntime({ base }: Pick<BuildContext, 'base'>): NodeRuntime {
  const own = { program: `/${nodePath}`, isOwn: true, version: process.versions.node, system: thisMachine }
  if (base === undefined) return own
  const hasGlibc = libraryFolders.some(folder => base.has(`${folder}/libc.so.6`))
  const system = hasGlibc ? thisMachine : `linux/${process.arch} with musl`
  const program = ['/usr/local/bin/node', '/usr/bin/node'].find(path => base.has(path))
  if (program !== undefined) {
    const version = /^NODE_VERSION=(.*)$/m.exec((base.config.Env ?? []).join('\n'))?.[1]
    return { program, isOwn: false, version, system }
  }
  if (hasGlibc) return own
  throw new BuildError(
    `the base image ${base.name} has neither Node.js nor the C library glibc that Node.js of this machine needs; take one that has, such as debian:12-slim or node:24-slim`,
  )
}

/** The layers below the service's own. */
export async function nodeFoundation(context: BuildContext, { isOwn }: NodeRuntime): Promise<Foundation> {
  const { base, nodeBinary, progress } = context
  const program = nodeProgram(nodeBinary)
  if (base === undefined) return foundation(context, [program])
  if (!isOwn) return foundation(context)
  const below = await foundation(context, [], await librariesOf(nodeBinary))
  const node = await keptLayer(context, `node-${filesKey([nodeBinary], '1')}`, async () => ({
    entries: [{ path: program.path, kind: 'file', source: realpathSync(nodeBinary), mode: 0o755 }],
    components: program.component === undefined ? [] : [program.component],
  }))
  progress('Node.js', node.cached)
  return { ...below, layers: [...below.layers, node], components: [...below.components, ...node.components] }
}
