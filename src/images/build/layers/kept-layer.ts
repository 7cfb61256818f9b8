// Layers are kept by what they were made from, so that one which did not change costs nothing.
import { existsSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { whileMaking } from './cache-folder.ts'
import { markUsed } from './prune-layers.ts'
import { plainLayer, writeLayer, type Layer, type LayerEntry, type LayerFile } from './layer.ts'
import type { Component } from '../image-content.ts'

export interface LayerCache {
  /** Where layers are kept between builds. */
  readonly cacheDirectory: string
  /** Told what a layer lacks. */
  readonly note: (text: string) => void
}

interface LayerContent<Facts> {
  readonly entries: readonly LayerEntry[]
  /** What is missing; such a layer is not kept. */
  readonly notes?: readonly string[]
  /** What is in it, for the bill of materials; kept with it. */
  readonly components?: readonly Component[]
  /** What else is to be known of it; kept with it, as JSON. */
  readonly facts?: Facts
}

export interface KeptLayer<Facts = undefined> extends Layer {
  readonly cached: boolean
  readonly components: readonly Component[]
  readonly facts: Facts
}

/** What is written beside the layer. */
interface Known<Facts> extends LayerFile {
  readonly components: readonly Component[]
  readonly facts: Facts
}

/** Makes the layer unless one with that key is there. */
export async function keptLayer<Facts = undefined>(
  { cacheDirectory, note }: LayerCache,
  key: string,
  content: (making: string) => Promise<LayerContent<Facts>>,
): Promise<KeptLayer<Facts>> {
  const file = join(cacheDirectory, `${key}.tar`)
  const known = join(cacheDirectory, `${key}.json`)
  if (existsSync(known) && existsSync(file)) {
    await markUsed(known)
    const { components, facts, ...kept } = JSON.parse(await readFile(known, 'utf8')) as Known<Facts>
    return { ...plainLayer(file, kept), components, facts, cached: true }
  }
  return whileMaking(cacheDirectory, async making => {
    const { entries, notes = [], components = [], facts } = await content(making)
    const layer = await writeLayer(join(making, 'layer.tar'), entries)
    for (const text of notes) note(text)
    await rename(join(making, 'layer.tar'), file)
    if (notes.length === 0) {
      await writeFile(join(making, 'known.json'), JSON.stringify({ ...layer, components, facts }))
      await rename(join(making, 'known.json'), known)
    }
    return { ...plainLayer(file, layer), components, facts: facts as Facts, cached: false }
  })
}
