import { expect, it } from 'vitest'
import { failureLine, slowFileLine } from './slow-file-line.ts'

it('a quick file that passed is not told', () => {
  expect(slowFileLine('a.test.ts', 'passed', ['passed'], 4_999)).toBeUndefined()
})

it('a slow file is told with what its tests came to', () => {
  const line = slowFileLine('test/e2e/a.test.ts', 'failed', ['passed', 'failed', 'passed', 'skipped'], 12_340)
  expect(line?.replaceAll(/ {2,}/g, '  ')).toBe('  test/e2e/a.test.ts  2 passed, 1 failed, 1 skipped 12.3 s')
})

it('a file that could not be loaded is told, however quick', () => {
  expect(slowFileLine('a.test.ts', 'failed', [], 10)).toContain('the file FAILED')
})

it('a failure is told in one line', () => {
  expect(failureLine('a > b', ['expected 1\n\nfound 2'])).toBe('    FAILED a > b: expected 1 found 2')
  expect(failureLine('a', ['x'.repeat(1000)])).toHaveLength(314)
})
