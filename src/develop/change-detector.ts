// Which files of a service changed since they were looked at last, as far as that matters: what the project's own build
// steps write is no change, nor what never gets into an image, nor the file that this very output is written to. Nor is
// what was written anew as it was: a build that writes beside its sources would lead to the next one for ever.
import { createHash } from 'node:crypto'
import { fstatSync, lstatSync, readFileSync, readlinkSync } from 'node:fs'
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
  private building: Promise<unknown> = Promise.resolve()
  /** Path of what was written while something was built -> what tells its content, as far as is known. */
  private readonly written = new Map<string, string>()

  constructor(watched: Watched) {
    this.watched = watched
    this.last = snapshotOf(watched.inputs)
  }

  /**
   * Runs what writes files beside those that people write: until it is over, nothing is looked at. What it writes for
   * the first time is a change, since nobody knows who needs it.
   */
  async whileBuilding<T>(work: () => Promise<T>): Promise<T> {
    const before = snapshotOf(this.watched.inputs)
    const result = work()
    this.building = result.catch(() => {}).then(() => this.forgive(before))
    await this.building
    return result
  }

  /** What was written since then as it was after the build before. */
  private forgive(before: Snapshot): void {
    const { inputs, directory, output } = this.watched
    const after = snapshotOf(inputs)
    const last = new Map(this.last)
    for (const path of differing(before, after)) {
      if (isOutput(relative(directory, path), output)) continue
      const content = contentOf(path)
      const isAsBefore = this.written.get(path) === content && last.get(path) === before.get(path)
      this.written.set(path, content)
      const state = after.get(path)
      if (isAsBefore && state !== undefined) last.set(path, state)
    }
    this.last = last
  }

  /** Absolute paths. */
  async changes(): Promise<string[]> {
    await this.building
    const paths = await this.changedPaths()
    for (const path of paths) if (this.written.has(path)) this.written.set(path, contentOf(path))
    return paths
  }

  private async changedPaths(): Promise<string[]> {
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
    return development.roots().some(({ from, filter }) => {
      const below = relative(from, path)
      return !below.startsWith('..') && !isAbsolute(below) && filter.includes(below)
    })
  }
}

function contentOf(path: string): string {
  try {
    const stat = lstatSync(path)
    if (stat.isSymbolicLink()) return `link ${readlinkSync(path)}`
    return `${stat.mode} ${stat.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : ''}`
  } catch {
    return 'gone, or not to be read'
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
