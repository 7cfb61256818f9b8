// The base of an image that is made from this machine, so that nothing is downloaded: users, name resolution and CA
// certificates, programs of the machine with the shared libraries they need, and libraries that the service's own
// programs need.
import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Component } from '../image-content.ts'
import { debianComponents } from './debian-owners.ts'
import { filesKey } from './files-key.ts'
import { keptLayer, type KeptLayer, type LayerCache } from './kept-layer.ts'
import type { LayerEntry } from './layer.ts'
import { triplet } from './library-places.ts'
import { linkedLibraries } from './native-libraries.ts'
import { homeDirectory, serviceUser } from './service-user.ts'

export interface Program {
  /** On this machine. */
  readonly source: string
  /** In the image, without the leading slash. */
  readonly path: string
  /** What the list of contents says of it; by default the Debian package that it belongs to. */
  readonly component?: Component
}

export const nodePath = 'usr/local/bin/node'

const certificates = '/etc/ssl/certs/ca-certificates.crt'

export interface BaseFacts {
  /** Paths on this machine of the shared libraries that it has. */
  readonly libraries: readonly string[]
}

/**
 * Kept until one of the programs, or what they are surrounded by, changes.
 * @param libraries paths on this machine of what the service's own programs load
 */
export function baseLayer(
  cache: LayerCache,
  programs: readonly Program[],
  libraries: readonly string[] = [],
): Promise<KeptLayer<BaseFacts>> {
  const places = programs.map(({ path, component }) => `${path} ${component?.version}`)
  const files = [
    ...programs.map(({ source }) => source),
    ...libraries,
    ...(existsSync(certificates) ? [certificates] : []),
  ]
  return keptLayer(cache, `base-${filesKey(files, '5', ...places)}`, async () => {
    const linked = await Promise.all(programs.map(({ source }) => librariesOf(source)))
    const all = [...new Set([...linked.flat(), ...libraries])]
    const unnamed = programs.filter(({ component }) => component === undefined).map(({ source }) => source)
    return {
      entries: [...programs.map(programEntry), ...all.map(libraryEntry), ...surroundings()],
      components: [
        ...programs.flatMap(({ component }) => component ?? []),
        ...(await debianComponents([...all, ...unnamed])),
      ],
      facts: { libraries: all },
    }
  })
}

export const nodeProgram = (nodeBinary: string): Program => ({
  source: nodeBinary,
  path: nodePath,
  ...(nodeBinary === process.execPath && {
    component: { name: 'node', version: process.versions.node, purl: `pkg:generic/node@${process.versions.node}` },
  }),
})

/** What the C library and programs for TLS look for. */
function surroundings(): LayerEntry[] {
  const text = (path: string, content: string): LayerEntry => ({ path, kind: 'file', source: Buffer.from(content) })
  return [
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

const programEntry = ({ source, path }: Program): LayerEntry => ({
  path,
  kind: 'file',
  source: realpathSync(source),
  mode: 0o755,
})

/** As an entry of a layer, under the path at which the dynamic linker looks for it. */
export const libraryEntry = (path: string): LayerEntry => ({
  path: placeOf(path),
  kind: 'file',
  source: realpathSync(path),
  mode: 0o755,
})

/** What the dynamic linker would load, each under the path it is looked for at. */
export async function sharedLibraries(program: string): Promise<LayerEntry[]> {
  return (await librariesOf(program)).map(libraryEntry)
}

/** Paths on this machine. */
export const librariesOf = async (program: string): Promise<string[]> =>
  [...(await linkedLibraries(program)).values()].filter(path => path !== undefined)

/**
 * /lib may be a link to /usr/lib here; inside the image both are plain directories. What lies elsewhere is put where
 * the dynamic linker looks without being told.
 */
function placeOf(path: string): string {
  const place = /^\/(?:usr\/)?lib(?:64|32)?\//.test(path) ? dirname(path).slice(1) : `usr/lib/${triplet}`
  return `${place}/${basename(path)}`
}
