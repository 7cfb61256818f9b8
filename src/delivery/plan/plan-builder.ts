// Steps that bring parts, put one behind the other: each knows what there will have been when its turn comes, so that
// taking all of them back in reverse order ends in what there was. Pure.
import { partName, samePart, type Part, type PartName } from '../engine/parts.ts'
import type { BringStep, Step, StepFacts } from './step.ts'

export class PlanBuilder {
  readonly steps: Step[] = []
  private parts: readonly Part[]

  /** @param there parts that there are now */
  constructor(there: readonly Part[]) {
    this.parts = there
  }

  /** What there will be after the steps so far. */
  get there(): readonly Part[] {
    return this.parts
  }

  add(...steps: readonly (Step | undefined)[]): void {
    this.steps.push(...steps.filter(step => step !== undefined))
  }

  /** Nothing to put and nothing to remove is no step. */
  bring(facts: StepFacts, put: readonly Part[], remove: readonly PartName[] = []): void {
    const gone = remove.filter(name => this.parts.some(part => samePart(part, name)))
    if (put.length === 0 && gone.length === 0) return
    const touched = [...put.map(partName), ...gone.map(({ kind, name }) => ({ kind, name }))]
    const before = this.parts.filter(part => touched.some(name => samePart(name, part)))
    const step: BringStep = {
      ...facts,
      kind: 'bring',
      put,
      remove: gone.map(({ kind, name }) => ({ kind, name })),
      before,
    }
    this.parts = [...this.parts.filter(part => !before.includes(part)), ...put]
    this.steps.push(step)
  }
}
