import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { defaultSettings } from '../images/build/settings.ts'
import { isBuildable } from './build-missing.ts'

const folder = mkdtempSync(join(tmpdir(), 'sampan-build-missing-'))
const empty = mkdtempSync(join(tmpdir(), 'sampan-build-missing-'))
writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'dock', version: '1.0.0', main: 'main.js' }))
afterAll(() => {
  for (const each of [folder, empty]) rmSync(each, { recursive: true })
})

test.each([
  ['of the cluster’s registry, of the version in the package.json', 'sampan.local/dock', '1.0.0', folder, true],
  ['of another version, which the folder may never have been', 'sampan.local/dock', '1.0.1', folder, false],
  ['of another registry, which may be somebody else’s', 'ghcr.io/acme/dock', '1.0.0', folder, false],
  ['that nothing here is made for', 'sampan.local/dock', '1.0.0', empty, false],
])('an image %s: %j %s', (_which, image, version, directory, expected) => {
  expect(isBuildable({ manifest: { image, build: defaultSettings }, file: join(directory, 'app.yml'), version })).toBe(
    expected,
  )
})
