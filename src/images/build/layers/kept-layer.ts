// Layers are kept by what they were made from, so that one which did not change costs nothing. What is being made
// is in a folder of its own beside them, and gets its place when it is whole.
import { constants, existsSync } from 'node:fs'
import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { plainLayer, writeLayer, type Layer, type LayerEntry, type LayerFile } from './layer.ts'
import { BuildError } from '../build-error.ts'
import type { Component } from '../image-content.ts'

export interface LayerCache {
  /** Where layers are kept between builds. */
  readonly cacheDirectory: string
  /** Told what a layer lacks. */
  readonly note: (text: string) => void
}

interface LayerContent {
  readonly entries: readonly LayerEntry[]
  /** What is missing; such a layer is not kept. */
  readonly notes?: readonly string[]
  /** What is in it, for the bill of materials; kept with it. */
  readonly components?: readonly Component[]
}

export interface KeptLayer extends Layer {
  readonly cached: boolean
  readonly components: readonly Component[]
}

/** What is written beside the layer. */
interface Facts extends LayerFile {
  readonly components: readonly Component[]
}

/** @throws BuildError when nothing can be kept there */
export async function prepareCache(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await access(directory, constants.W_OK)
  } catch (error) {
    throw new BuildError(
      `the folder ${directory}, where layers are kept, cannot be written (${(error as NodeJS.ErrnoException).code}); name another one with XDG_CACHE_HOME`,
    )
  }
}

/** Makes the layer unless one with that key is there. */
export async function keptLayer(
  { cacheDirectory, note }: LayerCache,
  key: string,
  content: (making: string) => Promise<LayerContent>,
): Promise<KeptLayer> {
  const file = join(cacheDirectory, `${key}.tar`)
  const facts = join(cacheDirectory, `${key}.json`)
  if (existsSync(facts) && existsSync(file)) {
    const known = JSON.parse(await readFile(facts, 'utf8')) as LayerFile & Partial<Facts>
    return { ...plainLayer(file, known), components: known.components ?? [], cached: true }
  }
  return whileMaking(cacheDirectory, async making => {
    const { entries, notes = [], components = [] } = await content(making)
    const layer = await writeLayer(join(making, 'layer.tar'), entries)
    for (const text of notes) note(text)
    await rename(join(making, 'layer.tar'), file)
    if (notes.length === 0) {
      await writeFile(`${facts}.new`, JSON.stringify({ ...layer, components } satisfies Facts))
      await rename(`${facts}.new`, facts)
    }
    return { ...plainLayer(file, layer), components, cached: false }
  })
}

/** The folder is there as long as the work goes on. */
export async function whileMaking<T>(cacheDirectory: string, work: (making: string) => Promise<T>): Promise<T> {
  const making = await mkdtemp(join(cacheDirectory, 'making-'))
  try {
    return await work(making)
  } finally {
    await rm(making, { recursive: true, force: true })
  }
}
