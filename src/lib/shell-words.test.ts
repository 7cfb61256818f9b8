// Words as a shell makes them, and what only a shell could do.
import { expect, test } from 'vitest'
import { shellWords } from './shell-words.ts'

test.each<[string, readonly string[]]>([
  ['node main.js', ['node', 'main.js']],
  ['  node \t main.js  ', ['node', 'main.js']],
  [`sh -c 'echo "$HOME" | wc'`, ['sh', '-c', 'echo "$HOME" | wc']],
  [String.raw`say "a \"b\" \$c \d"`, ['say', String.raw`a "b" $c \d`]],
  [String.raw`say a\ b \$c`, ['say', 'a b', '$c']],
  [`a'b'"c"d ''`, ['abcd', '']],
  ['a~b ./~', ['a~b', './~']],
  ['', []],
])('%j is %j', (text, words) => {
  expect(shellWords(text)).toEqual({ words })
})

test.each([
  ['a && b', '"&&" needs a shell'],
  ['a || b', '"||" needs a shell'],
  ['a | b', '"|" needs a shell'],
  ['a; b', '";" needs a shell'],
  ['a > b', '">" needs a shell'],
  ['a $B', '"$B" needs a shell'],
  ['a ${B:-c}', '"${B:-c}" needs a shell'],
  ['a "$B"', '"$B" needs a shell'],
  [String.raw`a "\\$B"`, '"$B" needs a shell'],
  ['a $(b)', '"$" needs a shell'],
  ['a `b`', '"`" needs a shell'],
  ['a *.js', '"*" needs a shell'],
  ['~/a', '"~" needs a shell'],
  ['a\nb', 'a new line needs a shell'],
])('%j is more than words', (text, problem) => {
  expect(shellWords(text)).toEqual({ problem, shell: true })
})

test.each([`a 'b`, `a "b`, String.raw`a "b\"`])('%j is not whole', text => {
  expect(shellWords(text)).toMatchObject({ problem: expect.stringMatching(/^a ['"] is not closed$/), shell: false })
})
