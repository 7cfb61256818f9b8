// What is below a service's own layers, whatever its language: the base image, or what this machine has; Debian
// packages that were asked for; a shell where one was asked for. In this order, the one that changes least first.
import { basename } from 'node:path'
import type { BuildContext } from '../builder.ts'
import type { Component } from '../image-content.ts'
import { packagesLayer } from '../packages/packages-layer.ts'
import { shellLayer } from '../shell/shell-layer.ts'
import { baseLayer, libraryEntry, type Program } from './base-layer.ts'
import { debianComponents } from './debian-owners.ts'
import { filesKey } from './files-key.ts'
import { keptLayer, type KeptLayer } from './kept-layer.ts'
import type { Layer } from './layer.ts'
import { belowUsr, libraryFolders } from './library-places.ts'

export interface Foundation {
  readonly layers: readonly Layer[]
  readonly components: readonly Component[]
  /** Paths on this machine of shared libraries that the image has; empty with a base image, which `lacks` knows. */
  readonly libraries: readonly string[]
  /** Whether nothing below has a library of this name. */
  readonly lacks: (library: string) => boolean
}

/**
 * @param programs of this machine; with a base image they are left out, and the builder looks whether it has them
 * @param libraries paths on this machine of what the service's own programs load
 */
export async function foundation(
  context: BuildContext,
  programs: readonly Program[] = [],
  libraries: readonly string[] = [],
): Promise<Foundation> {
  const { base, settings, progress } = context
  const lowest =
    base === undefined ? await ownBase(context, programs, libraries) : await onBase(context, new Set(libraries))
  const further: Pick<KeptLayer, keyof Layer | 'components'>[] = []
  const brought = new Set<string>()
  if (settings.packages.length > 0) {
    const packages = await packagesLayer(context, settings.packages, lowest.libraries)
    progress('packages', packages.cached)
    further.push(packages)
    for (const library of packages.facts.libraries) brought.add(library)
  }
  if (settings.shell && base?.has('/bin/sh') !== true) further.push(await shellLayer(context))
  return {
    ...lowest,
    layers: [...lowest.layers, ...further],
    components: [...lowest.components, ...further.flatMap(({ components }) => components)],
    lacks: library => !brought.has(library) && lowest.lacks(library),
  }
}

async function ownBase(
  context: BuildContext,
  programs: readonly Program[],
  libraries: readonly string[],
): Promise<Foundation> {
  const layer = await baseLayer(context, programs, libraries)
  context.progress('base layer', layer.cached)
  const all = layer.facts.libraries
  const names = new Set(all.map(path => basename(path)))
  return {
    layers: [layer],
    components: layer.components,
    libraries: all,
    lacks: library => !names.has(library),
  }
}

/** The base image, and what it lacks of the libraries. */
async function onBase(context: BuildContext, libraries: ReadonlySet<string>): Promise<Foundation> {
  const base = context.base!
  const lacks = (library: string): boolean => !libraryFolders.some(folder => base.has(`${folder}/${library}`))
  const missing = [...libraries].filter(path => lacks(basename(path)))
  const added =
    missing.length === 0
      ? []
      : [
          await keptLayer(context, `libraries-${filesKey(missing)}`, async () => ({
            entries: missing.map(path => belowUsr(libraryEntry(path))),
            components: await debianComponents(missing),
          })),
        ]
  return {
    layers: [...base.layers, ...added],
    components: added.flatMap(({ components }) => components),
    libraries: [],
    lacks,
  }
}
