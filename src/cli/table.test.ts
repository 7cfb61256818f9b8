import { expect, test } from 'vitest'
import { tableText } from './table.ts'

test('columns are as wide as what stands in them, and empty ones are left out', () => {
  expect(
    tableText(
      ['NAME', 'NODE', 'STATE'],
      [
        ['a-long-name', '', 'well'],
        ['b', '', ''],
      ],
    ),
  ).toBe('NAME          STATE\na-long-name   well\nb')
})

test('without rows there is nothing', () => {
  expect(tableText(['NAME'], [])).toBe('')
})
