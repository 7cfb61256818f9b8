// A reporter of vitest's for `npm test`: a line for each file of tests that took long or failed, as it ends, so that a run
// shows what it is doing, and one that is stopped shows how far it came. It writes to the descriptor that `npm test` gives
// it, beside the reports of which only the end is of interest.
import { writeSync } from 'node:fs'
import type { Reporter, TestCase, TestModule } from 'vitest/node'
import { failureLine, slowFileLine } from './slow-file-line.ts'

/** The descriptor of the process that runs vitest at which lines are expected. */
const progressDescriptor = 3

export default class SlowFilesReporter implements Reporter {
  private readonly startedAtMs = new Map<string, number>()

  onTestModuleQueued({ id }: TestModule): void {
    this.startedAtMs.set(id, performance.now())
  }

  onTestModuleEnd(module: TestModule): void {
    const tests = [...module.children.allTests()]
    const tookMs = performance.now() - (this.startedAtMs.get(module.id) ?? performance.now())
    const states = tests.map(test => test.result().state)
    const line = slowFileLine(module.relativeModuleId, module.state(), states, tookMs)
    const lines = [...(line === undefined ? [] : [line]), ...tests.filter(hasFailed).map(told)]
    if (lines.length > 0) writeSync(progressDescriptor, lines.map(each => `${each}\n`).join(''))
  }
}

const hasFailed = (test: TestCase): boolean => test.result().state === 'failed'

const told = (test: TestCase): string =>
  failureLine(test.fullName, test.result().errors?.map(({ message }) => message) ?? [])
