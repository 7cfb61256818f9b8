// How steps of one kind are done and undone. Each handler is a file of src/delivery/steps.
import type { Watch } from '../engine/engine.ts'
import type { Step, StepKind } from '../plan/step.ts'
import type { World } from './world.ts'

export interface StepHandler<S extends Step> {
  /** Also after it was begun, or done. @throws StepFailure */
  do(step: S, context: StepContext): Promise<void>
  /** Also after it was begun only. @throws StepFailure when what was before cannot be had back */
  undo(step: S, context: StepContext): Promise<void>
}

export type StepHandlers = { readonly [Kind in StepKind]: StepHandler<Extract<Step, { readonly kind: Kind }>> }

export interface StepContext {
  readonly world: World
  /** Its time limit is the step's, and its signal fires when that has passed, too. */
  readonly watch: Watch
  /** What was kept when the step was done, by whatever process did it. */
  readonly note: unknown
  /** Recorded when it returns. */
  keepNote(note: unknown): Promise<void>
}

/** What a step fails with: a sentence, and what the instance or run said last. */
export class StepFailure extends Error {
  readonly lastWords: readonly string[]

  constructor(message: string, lastWords: readonly string[] = []) {
    super(message)
    this.name = 'StepFailure'
    this.lastWords = lastWords
  }
}
