import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { sampanVersion } from './version.ts'

test('the command says the version of the package', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  expect(sampanVersion).toBe(version)
})
