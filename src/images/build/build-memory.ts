// What the last build made of what, so that one which would make the same makes nothing. There is one memory for each
// image, and it is good as long as all that the image is made of is as it was: its files, what else it depends on, and
// the commit. Git is asked for that only where it did something since.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PushedImage } from './push-image.ts'
import type { Revision } from './revision.ts'
import type { Snapshot } from './unchanged.ts'
import { writeWhole } from './write-whole.ts'

export interface Ingredients {
  /** Of the files. */
  readonly snapshot: Snapshot
  /** Of what the image depends on beside them. */
  readonly others: unknown
  /** Changes whenever git does something, and now and then without. */
  readonly gitMarks: string
  readonly revision: () => Promise<Revision | undefined>
}

export interface Known {
  readonly image: PushedImage
  /** What the user was told then. */
  readonly notes: readonly string[]
}

interface Memory extends Known {
  readonly fingerprint: string
  readonly gitMarks: string
  readonly revision?: Revision
}

export class BuildMemory {
  private readonly file: string

  /** @param key what the image is told from others by */
  constructor(cacheDirectory: string, key: readonly string[]) {
    const name = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 32)
    this.file = join(cacheDirectory, `built-${name}.json`)
  }

  /** What was made of the same. */
  async recall(ingredients: Ingredients): Promise<Known | undefined> {
    const memory = await this.read()
    if (memory?.fingerprint !== fingerprintOf(ingredients)) return undefined
    const isSame =
      memory.gitMarks === ingredients.gitMarks ||
      JSON.stringify(memory.revision) === JSON.stringify(await ingredients.revision())
    return isSame ? memory : undefined
  }

  async remember(ingredients: Ingredients, { image, notes }: Known): Promise<void> {
    const revision = await ingredients.revision()
    const memory: Memory = {
      fingerprint: fingerprintOf(ingredients),
      gitMarks: ingredients.gitMarks,
      ...(revision !== undefined && { revision }),
      image,
      notes,
    }
    await writeWhole(this.file, JSON.stringify(memory))
  }

  private async read(): Promise<Memory | undefined> {
    try {
      return JSON.parse(await readFile(this.file, 'utf8')) as Memory
    } catch {
      return undefined
    }
  }
}

function fingerprintOf({ snapshot, others }: Ingredients): string {
  const hash = createHash('sha256').update(JSON.stringify(others))
  for (const [path, state] of [...snapshot].toSorted(([left], [right]) => (left < right ? -1 : 1)))
    hash.update(`${path}\0${state}\n`)
  return hash.digest('hex')
}
