// Layers are kept by what they were made from, so that one which did not change costs nothing. What is being made
// is in a folder of its own beside them, and gets its place when it is whole.
import { existsSync, rmSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../../../host/make-folder.ts'
import { isGone, processMark } from '../../../host/process-mark.ts'
import { plainLayer, writeLayer, type Layer, type LayerEntry, type LayerFile } from './layer.ts'
import { BuildError } from '../build-error.ts'
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

/** @throws BuildError when nothing can be kept there */
export async function prepareCache(directory: string): Promise<void> {
  try {
    await makeFolder(directory, 0o700)
    // Whether something can be made in it, only making something tells, to root above all.
    await rmdir(await mkdtemp(join(directory, makingName())))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOSPC') throw error
    throw new BuildError(
      `the folder ${directory}, where layers are kept, cannot be written (${code}); name another one with XDG_CACHE_HOME`,
    )
  }
  await removeLeftovers(directory)
}

const makingName = (): string => `making-${processMark()}.`
/** No build takes that long. */
const longMs = 24 * 3_600_000

/** What builds that were killed had begun; one that runs elsewhere, with the same folder, keeps what it has. */
async function removeLeftovers(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter(name => name.startsWith('making-'))
  await Promise.all(
    names.map(async name => {
      const place = join(directory, name)
      const [mark = ''] = name.slice('making-'.length).split('.')
      if (isGone(mark) ?? (await isOld(place))) await rm(place, { recursive: true, force: true })
    }),
  )
}

async function isOld(place: string): Promise<boolean> {
  const found = await stat(place).catch(() => undefined)
  return found !== undefined && found.mtimeMs < Date.now() - longMs
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

/** What this process works on; it goes when the process ends in the midst of it. */
const begun = new Set<string>()
process.once('exit', () => begun.forEach(making => rmSync(making, { recursive: true, force: true })))

/** The folder is there as long as the work goes on. */
export async function whileMaking<T>(cacheDirectory: string, work: (making: string) => Promise<T>): Promise<T> {
  const making = await mkdtemp(join(cacheDirectory, makingName()))
  begun.add(making)
  try {
    return await work(making)
  } finally {
    // What else goes on in it, when one part has failed, may still write.
    await rm(making, { recursive: true, force: true, maxRetries: 5 })
    begun.delete(making)
  }
}
