import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { withEnvironment, withoutEnvironment } from './edited-team.ts'

const team = `# Our team.
domain: example.com   # ours

services:
  shop: { needs: [customers] }
  customers: {}

environments:
  # For everybody.
  test: { domain: test.example.com }
  production:
    context: far-away # careful
`

test('an environment more changes nothing else', () => {
  expect(withEnvironment(team, 'test7', 'test')).toBe(`${team}  test7: { extends: test } # made by sampan env create\n`)
})

test('what was added goes, and the file is as it was', () => {
  expect(withoutEnvironment(withEnvironment(team, 'test7', 'test'), 'test7')).toEqual({ text: team })
})

test('a file without environments gets them', () => {
  expect(withEnvironment('domain: example.com\n', 'test7', 'test')).toBe(
    'domain: example.com\nenvironments:\n  test7: { extends: test } # made by sampan env create\n',
  )
})

test.each([
  'readers: [anna]\nenvironments: { test: {}, prod: { extends: test } } # two\n',
  '{ environments: {test: {}} }\n',
])('also between braces nothing else changes: %j', braces => {
  const added = withEnvironment(withEnvironment(braces, 'test7', 'test'), 'test8', 'test')
  expect(parse(added)).toMatchObject({ environments: { test7: { extends: 'test' }, test8: { extends: 'test' } } })
  const { text } = withoutEnvironment(added, 'test8') as { text: string }
  expect(text).toBe(withEnvironment(braces, 'test7', 'test'))
  expect(withoutEnvironment(text, 'test7')).toEqual({ text: braces })
  expect(withoutEnvironment(braces, 'test')).toHaveProperty('reason')
})

test.each([
  ['that somebody wrote', 'test', 'somebody wrote it by hand'],
  ['that there is not', 'staging', 'there is no "staging" in it'],
])('an entry %s stays', (_which, name, reason) => {
  expect(withoutEnvironment(team, name)).toEqual({ reason })
})

test('an entry stays that somebody added something to, or that another one extends', () => {
  const added = withEnvironment(team, 'test7', 'test')
  expect(withoutEnvironment(added.replace('extends: test }', 'extends: test, domain: a.example }'), 'test7')).toEqual({
    reason: 'somebody wrote it by hand',
  })
  expect(withoutEnvironment(withEnvironment(added, 'test8', 'test7'), 'test7')).toEqual({
    reason: '"test8" extends it',
  })
})
