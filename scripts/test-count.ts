// Counts of passed, failed and skipped tests, from vitest's JSON report. Pure.

export interface Count {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export interface VitestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message?: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

export const noTests: Count = { passed: 0, failed: 0, skipped: 0 }

export const sum = (counts: readonly Count[]): Count =>
  counts.reduce(
    (total, { passed, failed, skipped }) => ({
      passed: total.passed + passed,
      failed: total.failed + failed,
      skipped: total.skipped + skipped,
    }),
    noTests,
  )

/** @param report undefined when vitest wrote none; @param status its exit code, which also tells of errors beside the tests */
export function countOf(report: VitestReport | undefined, status: number): { count: Count; failures: string[] } {
  if (report === undefined)
    return { count: { ...noTests, failed: 1 }, failures: ['the test run ended without a report'] }
  // A file that cannot be loaded fails without a single test in it.
  const files = report.testResults.filter(
    file => file.status === 'failed' && !file.assertionResults.some(test => test.status === 'failed'),
  )
  const failures = [
    ...report.testResults.flatMap(file =>
      file.assertionResults.filter(test => test.status === 'failed').map(test => `${file.name}: ${test.fullName}`),
    ),
    ...files.map(file => `${file.name}: ${file.message ?? 'it could not be loaded'}`),
  ]
  if (failures.length === 0 && status !== 0) failures.push('something failed outside the tests')
  const failed = Math.max(failures.length, report.numFailedTests)
  return {
    count: { passed: report.numPassedTests, failed, skipped: report.numPendingTests + report.numTodoTests },
    failures,
  }
}
