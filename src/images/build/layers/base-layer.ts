// The base of an image that is made from this machine, so that nothing is downloaded: users, name resolution and CA
// certificates, and programs of the machine with the shared libraries they need.
import { createHash } from 'node:crypto'
import { existsSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { keptLayer, type KeptLayer, type LayerCache } from './kept-layer.ts'
import type { LayerEntry } from './layer.ts'
import { linkedLibraries } from './native-libraries.ts'

export interface Program {
  /** On this machine. */
  readonly source: string
  /** In the image, without the leading slash. */
  readonly path: string
}

export const nodePath = 'usr/local/bin/node'
/** The user services run as. */
export const serviceUser = { name: 'node', id: 1000 } as const
export const homeDirectory = '/home/node'

const certificates = '/etc/ssl/certs/ca-certificates.crt'

/** Kept until one of the programs, or what they are surrounded by, changes. */
export const baseLayer = (cache: LayerCache, programs: readonly Program[]): Promise<KeptLayer> =>
  keptLayer(cache, `base-${baseKey(programs)}`, async () => ({ entries: await baseEntries(programs) }))

export const nodeProgram = (nodeBinary: string): Program => ({ source: nodeBinary, path: nodePath })

function baseKey(programs: readonly Program[]): string {
  const hash = createHash('sha256').update(`3 ${process.arch}`)
  for (const { source, path } of programs) {
    const { size, mtimeMs } = statSync(source)
    hash.update(`${path} ${source} ${size} ${mtimeMs}`)
  }
  if (existsSync(certificates)) hash.update(String(statSync(certificates).mtimeMs))
  return hash.digest('hex').slice(0, 16)
}

async function baseEntries(programs: readonly Program[]): Promise<LayerEntry[]> {
  const libraries = await Promise.all(programs.map(({ source }) => sharedLibraries(source)))
  const text = (path: string, content: string): LayerEntry => ({ path, kind: 'file', source: Buffer.from(content) })
  return [
    ...programs.map(({ source, path }): LayerEntry => ({
      path,
      kind: 'file',
      source: realpathSync(source),
      mode: 0o755,
    })),
    ...libraries.flat(),
    text(
      'etc/passwd',
      `root:x:0:0:root:/root:/sbin/nologin\n${serviceUser.name}:x:${serviceUser.id}:${serviceUser.id}::${homeDirectory}:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n`,
    ),
    text('etc/group', `root:x:0:\n${serviceUser.name}:x:${serviceUser.id}:\nnogroup:x:65534:\n`),
    text('etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n'),
    ...(existsSync(certificates)
      ? [{ path: certificates.slice(1), kind: 'file', source: realpathSync(certificates) } as const]
      : []),
    { path: 'tmp', kind: 'directory', mode: 0o1777 },
    { path: homeDirectory.slice(1), kind: 'directory', mode: 0o777 },
  ]
}

/** What the dynamic linker would load, each under the path it is looked for at. */
export async function sharedLibraries(program: string): Promise<LayerEntry[]> {
  return (await librariesOf(program)).map(path => ({
    path: placeOf(path),
    kind: 'file',
    source: realpathSync(path),
    mode: 0o755,
  }))
}

/** Paths on this machine. */
export const librariesOf = async (program: string): Promise<string[]> =>
  [...(await linkedLibraries(program)).values()].filter(path => path !== undefined)

/** /lib may be a link to /usr/lib here; inside the image both are plain directories. */
function placeOf(path: string): string {
  return `${dirname(path).slice(1)}/${basename(path)}`
}
