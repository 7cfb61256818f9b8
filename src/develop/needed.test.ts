import { expect, test } from 'vitest'
import { neededFor, type Need } from './needed.ts'

test.each<[readonly string[], boolean, Need]>([
  [[], true, 'nothing'],
  [['/p/src/a.js'], true, 'files'],
  [['/p/src/a.js', '/p/package-lock.json'], true, 'image'],
  [['/p/src/a.go'], false, 'image'],
  [['/p/app.yml'], true, 'delivery'],
])('%j, where files can be brought: %j, needs %s', (changed, syncable, need) => {
  expect(neededFor(changed, { manifest: '/p/app.yml', making: ['/p/package-lock.json'], syncable })).toBe(need)
})
