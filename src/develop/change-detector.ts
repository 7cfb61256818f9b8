// Which files of a service changed since they were looked at last. What the project's own build steps write is no
// change; without such steps everything is one.
import { relative } from 'node:path'
import { isOutput, outputsIn, snapshotOf, type Snapshot } from '../images/build/unchanged.ts'

export class ChangeDetector {
  private readonly directory: string
  private readonly inputs: readonly string[]
  private readonly hasSteps: boolean
  private last: Snapshot

  constructor(directory: string, inputs: readonly string[], hasSteps: boolean) {
    this.directory = directory
    this.inputs = inputs
    this.hasSteps = hasSteps
    this.last = snapshotOf(inputs)
  }

  /** Absolute paths. */
  async changes(): Promise<string[]> {
    const before = this.last
    const after = snapshotOf(this.inputs)
    this.last = after
    const paths = [...new Set([...before.keys(), ...after.keys()])].filter(path => before.get(path) !== after.get(path))
    if (!this.hasSteps || paths.length === 0) return paths
    const others = paths.filter(path => !isOutput(relative(this.directory, path)))
    const ignored = await outputsIn(this.directory, others)
    return others.filter(path => !ignored.has(path))
  }
}
