// Why a run failed, where its program says nothing of it.
import { expect, test } from 'vitest'
import { troubleOf } from './run-result.ts'

test.each([
  ['OOMKilled', '', 'it used more memory than its limit'],
  ['StartError', 'exec: "nosuch": not found in $PATH', 'it could not be started: exec: "nosuch": not found in $PATH'],
  ['ContainerCannotRun', '', 'it could not be started: ContainerCannotRun'],
  ['Error', 'what the program left', undefined],
])('%s: %s', (reason, message, trouble) => {
  expect(troubleOf({ exitCode: 128, reason, message })).toBe(trouble)
})
