// What is told of a file of tests as it ends. Pure.

const shownFromMs = 5_000

/**
 * @param state of the file: also one without a failed test can have failed, as one that cannot be loaded
 * @param tests the states of its tests
 * @returns undefined for a file that passed quickly
 */
export function slowFileLine(
  file: string,
  state: string,
  tests: readonly string[],
  tookMs: number,
): string | undefined {
  if (state !== 'failed' && tookMs < shownFromMs) return undefined
  const of = (wanted: string): number => tests.filter(test => test === wanted).length
  const counts = [
    `${of('passed')} passed`,
    ...['failed', 'skipped'].flatMap(each => (of(each) > 0 ? [`${of(each)} ${each}`] : [])),
  ]
  const told = `${counts.join(', ')}${state === 'failed' && of('failed') === 0 ? ', the file FAILED' : ''}`
  return `  ${file.padEnd(54)} ${told.padEnd(24)} ${(tookMs / 1000).toFixed(1)} s`
}

const shownCharacters = 300

/** @param messages of what went wrong, of which the beginning is told */
export const failureLine = (test: string, messages: readonly string[]): string =>
  `    FAILED ${test}: ${messages.join('; ').replaceAll(/\s+/g, ' ').slice(0, shownCharacters)}`
