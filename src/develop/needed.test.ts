import { expect, test } from 'vitest'
import { neededFor, type Need } from './needed.ts'

test.each<[readonly string[], boolean, readonly Need[]]>([
  [[], true, []],
  [['/p/src/a.js'], true, ['files']],
  [['/p/src/a.js', '/p/package-lock.json'], true, ['image']],
  [['/p/src/a.go'], false, ['image']],
  [['/p/app.yml'], true, ['delivery']],
  [['/p/app.yml', '/p/src/a.js'], true, ['delivery', 'files']],
  [['/sampan.yml'], false, ['delivery']],
])('%j, where files can be brought: %j, needs %j', (changed, syncable, needs) => {
  const files = { manifests: ['/p/app.yml', '/sampan.yml'], making: ['/p/package-lock.json'], syncable }
  expect(neededFor(changed, files)).toEqual(needs)
})
