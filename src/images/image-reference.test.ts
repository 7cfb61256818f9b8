import { describe, expect, test } from 'vitest'
import { isRepository, parseImageReference } from './image-reference.ts'

const digest = `sha256:${'a'.repeat(64)}`

describe('the name of an image', () => {
  test.each([
    ['web', { registry: undefined, repository: 'web', tag: undefined, digest: undefined }],
    ['web:1.0', { registry: undefined, repository: 'web', tag: '1.0', digest: undefined }],
    ['team/web:1.0', { registry: undefined, repository: 'team/web', tag: '1.0', digest: undefined }],
    ['sampan.local/web', { registry: 'sampan.local', repository: 'web', tag: undefined, digest: undefined }],
    ['localhost/web', { registry: 'localhost', repository: 'web', tag: undefined, digest: undefined }],
    [
      '127.0.0.1:5000/team/web:v2',
      { registry: '127.0.0.1:5000', repository: 'team/web', tag: 'v2', digest: undefined },
    ],
    [`ghcr.io/a/b@${digest}`, { registry: 'ghcr.io', repository: 'a/b', tag: undefined, digest }],
    [`ghcr.io/a/b:1@${digest}`, { registry: 'ghcr.io', repository: 'a/b', tag: '1', digest }],
  ])('%s is understood', (text, parts) => {
    expect(parseImageReference(text)).toEqual(parts)
  })

  test.each([
    '',
    'Web',
    'web:',
    'web:a b',
    '/web',
    'web/',
    'web@sha256:12',
    'a//b',
    'ghcr.io/',
    'a'.repeat(256),
    'web:-x',
  ])('%s is none', text => {
    expect(parseImageReference(text)).toBeUndefined()
  })
})

test('a repository has separators only between letters and digits', () => {
  expect(['a', 'a-b', 'a--b', 'a__b', 'a.b/c_d'].every(isRepository)).toBe(true)
  expect(['a___b', 'a..b', '-a', 'a-', 'a/_b', '../a'].some(isRepository)).toBe(false)
})
