// A reporter of vitest's for `npm test`: a line for each file of tests that took long, as it ends, so that a run
// shows what it is doing, and one that is stopped shows how far it came. It writes to the descriptor that
// `npm test` gives it, beside the reports of which only the end is of interest.
import { writeSync } from 'node:fs'
import type { Reporter, TestModule } from 'vitest/node'
import { slowFileLine } from './slow-file-line.ts'

/** The descriptor of the process that runs vitest at which lines are expected. */
const progressDescriptor = 3

export default class SlowFilesReporter implements Reporter {
  private readonly startedAtMs = new Map<string, number>()

  onTestModuleQueued({ id }: TestModule): void {
    this.startedAtMs.set(id, performance.now())
  }

  onTestModuleEnd(module: TestModule): void {
    const tests = [...module.children.allTests()].map(test => test.result().state)
    const tookMs = performance.now() - (this.startedAtMs.get(module.id) ?? performance.now())
    const line = slowFileLine(module.relativeModuleId, module.state(), tests, tookMs)
    if (line !== undefined) writeSync(progressDescriptor, `${line}\n`)
  }
}
