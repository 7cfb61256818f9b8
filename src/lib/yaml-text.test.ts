import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { yamlText } from './yaml-text.ts'

const words = 'on no yes Off y true null ~ 0x10 012 0o7 1_000 12:30 1e3 .inf = << 2020-01-01 text'.split(' ')

test.each(['1.1', '1.2'] as const)('text stays text for who reads YAML %s', version => {
  const value = Object.fromEntries(words.map(word => [`key-${word}`, word]))
  expect(parse(yamlText(value), { version })).toEqual(value)
})
