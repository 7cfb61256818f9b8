import fc from 'fast-check'
import { expect, test } from 'vitest'
import { otherReading, plainPath } from './plain-path.ts'

test.each([
  ['/', '/'],
  ['/a/b', '/a/b'],
  ['/a/', '/a/'],
  ['//a///b', '/a/b'],
  ['/a/./b', '/a/b'],
  ['/a/../b', '/b'],
  ['/../..', '/'],
  ['/a/..', '/'],
  ['/a/.', '/a/'],
  ['/%61%2e%7E', '/a.~'],
  ['/x/%2e%2e/a', '/a'],
  ['/a%2fb', '/a%2Fb'],
  ['/a b', '/a%20b'],
  ['/100%', '/100%25'],
  ['/ü', '/%C3%BC'],
  ['/a;b=c,d', '/a;b=c,d'],
  ['/a?b#c', '/a%3Fb%23c'],
])('%s is %s', (path, plain) => {
  expect(plainPath(path)).toBe(plain)
})

test.each([
  ['/a', undefined],
  ['/a/b.c', undefined],
  ['/open/..%2Fguarded', '/guarded'],
  ['/open/..;/guarded', '/guarded'],
  ['/open/..;a=b/guarded', '/guarded'],
  ['/guarded;x=1', '/guarded'],
  ['/guarded%2Fx', '/guarded/x'],
  ['/%2Fguarded', '/guarded'],
  ['/open/..%5Cguarded', '/guarded'],
  ['/a/b;v=1/c', '/a/b/c'],
])('%s may be read as %s', (path, other) => {
  expect(otherReading(path)).toBe(other)
})

test('a plain path stays as it is, begins with a slash and fits into a line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const plain = plainPath(`/${text}`)
      expect(plainPath(plain)).toBe(plain)
      expect(plain).toMatch(/^\/[!-~]*$/)
    }),
  )
})
