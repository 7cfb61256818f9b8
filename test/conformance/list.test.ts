// Holds what Kubernetes' conformance tests demand against what is tested here. The lists of demands are
// reference data beside the repository (or where SAMPAN_REFERENCE points); without them the test is skipped
// and says so. A demand is covered when the name of a test contains its codename without the tags. What
// is not covered either needs a pod that really runs, or is about what 1.36 does not have (not-looked-for.ts);
// what is listed there and covered fails.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { describe, expect, test } from 'vitest'
import { needsRunningPod, notIn136 } from './not-looked-for.ts'

interface Demand {
  readonly codename: string
  readonly file: string
  /** a: the API server and control loops are enough; b: needs a running pod. */
  readonly class?: 'a' | 'b'
}

const folder = process.env.SAMPAN_REFERENCE ?? fileURLToPath(new URL('../../../shared/reference', import.meta.url))
const files = ['conformance-1.29.yaml', 'conformance-delta-1.29-to-1.37.yaml'].map(name => join(folder, name))
const present = files.every(file => existsSync(file))
if (!present)
  console.log('skipped: the lists of conformance tests are not on this machine; SAMPAN_REFERENCE names their folder')

/** A codename without its tags: what tests are found by. */
const sentence = (text: string): string =>
  text
    .replaceAll(/\[[A-Za-z][\w.: -]*\]/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()

function testedText(): string {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const texts = ['test/**/*.test.ts', 'src/**/*.test.ts']
    .flatMap(pattern => globSync(pattern, { cwd: root }))
    .map(file => {
      const text = readFileSync(join(root, file), 'utf8')
      const suite = /^const suite = '(.*)'$/m.exec(text)?.[1] ?? ''
      return sentence(text.replaceAll('${suite}', suite).replaceAll("\\'", "'"))
    })
  return texts.join('\n')
}

describe.skipIf(!present)('of the conformance tests of Kubernetes', () => {
  const demands = present ? files.flatMap(file => parse(readFileSync(file, 'utf8')) as Demand[]) : []
  const sentences = new Set(demands.map(demand => sentence(demand.codename)))
  const text = present ? testedText() : ''
  const isCovered = (codename: string): boolean => text.includes(sentence(codename))
  const needsPod = (demand: Demand): boolean =>
    demand.class === 'b' ||
    (demand.class === undefined &&
      needsRunningPod.some(
        ({ file, names }) => demand.file.endsWith(file) && (names === undefined || names.test(demand.codename)),
      ))

  test('each is covered, needs a running pod, or is not in 1.36', () => {
    const left = demands.filter(
      demand => !isCovered(demand.codename) && !needsPod(demand) && !notIn136.includes(sentence(demand.codename)),
    )
    expect(left.map(demand => sentence(demand.codename))).toEqual([])
  })

  test.each(notIn136)('not in 1.36: %s', name => {
    expect(sentences, 'there is no such demand').toContain(name)
    expect(isCovered(name), 'is covered: take it off the list').toBe(false)
  })

  test('the numbers are printed', () => {
    const covered = demands.filter(demand => isCovered(demand.codename)).length
    console.log(
      `conformance: ${demands.length} demands, ${covered} covered by name, ${notIn136.length} not in 1.36, ${demands.length - covered - notIn136.length} need a running pod`,
    )
    expect(covered).toBeGreaterThan(150)
  })
})
