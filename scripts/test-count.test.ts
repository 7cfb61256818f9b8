import { expect, test } from 'vitest'
import { countOf, sum, type VitestReport } from './test-count.ts'

const report = (more: Partial<VitestReport> = {}): VitestReport => ({
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 1,
  numTodoTests: 1,
  testResults: [],
  ...more,
})

test.each<[string, VitestReport | undefined, number, [number, number, number]]>([
  ['a good run', report(), 0, [3, 0, 2]],
  ['a run without a report', undefined, 1, [0, 1, 0]],
  [
    'a failed test',
    report({
      numFailedTests: 1,
      testResults: [{ name: 'a', status: 'failed', assertionResults: [{ status: 'failed', fullName: 'x' }] }],
    }),
    1,
    [3, 1, 2],
  ],
  [
    'a file that cannot be loaded',
    report({ testResults: [{ name: 'a', status: 'failed', message: 'syntax', assertionResults: [] }] }),
    1,
    [3, 1, 2],
  ],
  ['an error beside the tests', report(), 1, [3, 1, 2]],
])('%s is counted', (_what, given, status, [passed, failed, skipped]) => {
  const { count, failures } = countOf(given, status)
  expect(count).toEqual({ passed, failed, skipped })
  expect(failures).toHaveLength(failed)
})

test('counts are added up', () => {
  expect(
    sum([
      { passed: 1, failed: 2, skipped: 3 },
      { passed: 10, failed: 20, skipped: 30 },
    ]),
  ).toEqual({ passed: 11, failed: 22, skipped: 33 })
  expect(sum([])).toEqual({ passed: 0, failed: 0, skipped: 0 })
})
