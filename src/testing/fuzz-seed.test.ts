import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { fuzzSeed } from './fuzz-seed.ts'

describe('the seed of generated cases', () => {
  afterEach(() => void vi.unstubAllEnvs())
  test('is 1 when nobody asks for another', () => {
    vi.stubEnv('SAMPAN_FUZZ_SEED', undefined)
    expect(fuzzSeed()).toBe(1)
  })
  test('is the number that is asked for', () => expect(fuzzSeed('7')).toBe(7))
  test('is some whole number when random ones are asked for', () =>
    expect(fuzzSeed('random')).toSatisfy(Number.isSafeInteger))
  test.each(['', 'seven', '1.5'])('%j is refused', asked =>
    expect(() => fuzzSeed(asked)).toThrow('expected a whole number or "random"'),
  )
})

test('properties try the same cases each time', () => {
  const cases = (): unknown[] => {
    const tried: unknown[] = []
    fc.assert(fc.property(fc.anything(), value => void tried.push(value)))
    return tried
  }
  expect(cases()).toEqual(cases())
})

test('a property that fails prints the seed', () => {
  const { seed } = fc.readConfigureGlobal()
  expect(seed).toBeDefined()
  expect(() => fc.assert(fc.property(fc.nat(), () => false))).toThrow(`seed: ${seed}`)
})
