import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

// Each service is built from its own folder alone, so each has its copy of the contract between them.
test('both sides of the geo example have the same contract', () => {
  const contract = (service: string): string =>
    readFileSync(new URL(`${service}/proto/geo.proto`, import.meta.url), 'utf8')
  expect(contract('frontend')).toBe(contract('backend'))
})
