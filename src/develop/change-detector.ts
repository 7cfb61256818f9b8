// Which files of a service changed since they were looked at last, as far as that matters: what the project's own build
// steps write is no change, nor what never gets into an image, nor the file that this very output is written to.
import { fstatSync, lstatSync } from 'node:fs'
import { isAbsolute, relative } from 'node:path'
import type { Development } from '../images/build/builder.ts'
import { differing, isOutput, outputsIn, snapshotOf, type Snapshot } from '../images/build/unchanged.ts'

export interface Watched {
  readonly directory: string
  /** Absolute paths of files that say how it is delivered. */
  readonly manifests: readonly string[]
  /** Files and folders that the image is made of. */
  readonly inputs: readonly string[]
  /** undefined: each change makes another image. */
  readonly development: Development | undefined
  /** Folder that the project's own build makes, relative; undefined: nobody says. */
  readonly output: string | undefined
}

export class ChangeDetector {
  private readonly watched: Watched
  private last: Snapshot

  constructor(watched: Watched) {
    this.watched = watched
    this.last = snapshotOf(watched.inputs)
  }

  /** Absolute paths. */
  async changes(): Promise<string[]> {
    const { directory, inputs, development, output } = this.watched
    const before = this.last
    const after = snapshotOf(inputs)
    this.last = after
    const paths = differing(before, after).filter(path => this.matters(path) && !isOwnOutput(path))
    if (development?.steps.length === 0 || paths.length === 0) return paths
    const others = paths.filter(path => !isOutput(relative(directory, path), output))
    const ignored = await outputsIn(directory, others)
    return others.filter(path => !ignored.has(path))
  }

  private matters(path: string): boolean {
    const { manifests, development } = this.watched
    if (development === undefined || manifests.includes(path) || development.making.includes(path)) return true
    // What steps are made of need not be what they make.
    if (development.steps.length > 0) return true
    return development.roots.some(({ from, filter }) => {
      const below = relative(from, path)
      return !below.startsWith('..') && !isAbsolute(below) && filter.includes(below)
    })
  }
}

/** Else each line that is said would be a change, and be told. */
function isOwnOutput(path: string): boolean {
  try {
    const file = lstatSync(path)
    return [process.stdout.fd, process.stderr.fd].some(descriptor => {
      const { dev, ino } = fstatSync(descriptor)
      return dev === file.dev && ino === file.ino
    })
  } catch {
    // It is gone, or a folder that it was in.
    return false
  }
}
