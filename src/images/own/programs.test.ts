import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { programNames } from './programs.ts'

test('every program that a server runs is in the image', () => {
  const source = join(import.meta.dirname, '../..')
  const files = ['host', 'cri', 'node', 'network'].flatMap(layer =>
    readdirSync(join(source, layer), { recursive: true, encoding: 'utf8' }).map(path => join(source, layer, path)),
  )
  const called = files
    .filter(path => /(?<!\.test)\.ts$/.test(path))
    .flatMap(path => [...readFileSync(path, 'utf8').matchAll(/\brun\(\s*'([a-z]+)'/g)].map(match => match[1]!))
  // Only to bring images in by hand, and to trust an authority on a machine with browsers.
  const expected = [...new Set(called)].filter(name => !['ctr', 'certutil'].includes(name))
  expect(expected).toContain('nft')
  expect(expected.filter(name => !programNames.includes(name))).toEqual([])
})
