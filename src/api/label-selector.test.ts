import { describe, expect, test } from 'vitest'
import { formatLabels, formatSelector, labelSelectorText, matchesSelector } from './label-selector.ts'

const selector = {
  matchLabels: { app: 'x' },
  matchExpressions: [
    { key: 'tier', operator: 'In', values: ['b', 'a'] },
    { key: 'old', operator: 'DoesNotExist' },
  ],
}
const unknown = { matchLabels: { app: 'x' }, matchExpressions: [{ key: 'tier', operator: 'Near', values: ['a'] }] }

describe('matching', () => {
  test.each([
    ['all requirements', selector, { app: 'x', tier: 'a' }, true],
    ['one requirement fails', selector, { app: 'x', tier: 'a', old: '' }, false],
    ['an empty selector matches everything', {}, undefined, true],
    ['an absent one nothing', undefined, {}, false],
    ['an unknown operator matches nothing', unknown, { app: 'x', tier: 'a' }, false],
    [
      'NotIn holds without the label',
      { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['a'] }] },
      {},
      true,
    ],
    [
      'labels named like members of objects',
      { matchExpressions: [{ key: 'constructor', operator: 'Exists' }] },
      {},
      false,
    ],
  ])('%s', (_, given, labels, expected) => {
    expect(matchesSelector(given, labels)).toBe(expected)
  })
})

// FormatLabelSelector and LabelSelectorAsSelector(...).String() of apimachinery.
test.each([
  ['keys in order', selector, 'app=x,!old,tier in (a,b)', 'app=x,!old,tier in (a,b)'],
  [
    'other operators',
    {
      matchExpressions: [
        { key: 'b', operator: 'NotIn', values: ['y', 'x'] },
        { key: 'a', operator: 'Exists' },
      ],
    },
    'a,b notin (x,y)',
    'a,b notin (x,y)',
  ],
  ['an empty selector is empty text, in columns <none>', {}, '', '<none>'],
  ['so is an absent one', undefined, '', '<none>'],
  ['an unknown operator', unknown, '<error>', '<error>'],
])('printing: %s', (_, given, text, column) => {
  expect(labelSelectorText(given)).toBe(text)
  expect(formatSelector(given)).toBe(column)
})

test('printing labels', () => {
  expect(formatLabels({ b: '2', a: '1' })).toBe('a=1,b=2')
  expect(formatLabels(undefined)).toBe('<none>')
})
