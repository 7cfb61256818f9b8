import { expect, test } from 'vitest'
import { compileJsonPath } from './json-path.ts'

const object = {
  a: { 'b.c': 1, d: [1, 2, 3, 4] },
  items: [
    { n: 'x', v: 1, ok: true },
    { n: 'y', v: 5 },
  ],
}

test.each<[string, unknown[]]>([
  ['.', [object]],
  ['.a.d[0]', [1]],
  ['.a.d[-1]', [4]],
  ['.a.d[1:3]', [2, 3]],
  ['.a.d[::2]', [1, 3]],
  ['.a.d[*]', [1, 2, 3, 4]],
  [String.raw`.a.b\.c`, [1]],
  [`.a['b.c']`, [1]],
  ['.items[*].n', ['x', 'y']],
  ['.items[?(@.n=="y")].v', [5]],
  ['.items[?(@.v>2)].n', ['y']],
  ['.items[?(@.n!="y")].v', [1]],
  ['.items[?(@.ok)].n', ['x']],
  ['.items[?(@.v<=1)].n', ['x']],
  ['.none.at.all', []],
  ['.a.d.x', []],
  ['.__proto__', []],
])('%s', (path, found) => {
  expect(compileJsonPath(path)!(object)).toEqual(found)
})

test.each(['.a[', '.items[?(n)]', 'a b[', '.a..b'])('%s is none', path => {
  expect(compileJsonPath(path)).toBeUndefined()
})
