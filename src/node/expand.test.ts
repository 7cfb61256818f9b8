import { expect, test } from 'vitest'
import { expand } from './expand.ts'

test.each([
  ['$(A)-$(B)', '1-2'],
  ['$$(A)', '$(A)'],
  ['$(C)', '$(C)'],
  ['$A', '$A'],
  ['$$$(A)', '$1'],
  ['$(A', '$(A'],
  ['100%$', '100%$'],
])('%s becomes %s', (text, expected) => {
  expect(expand(text, name => ({ A: '1', B: '2' })[name])).toBe(expected)
})
