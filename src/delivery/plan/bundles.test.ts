import { expect, test } from 'vitest'
import { bundleOf, entryOf, fileKey } from './bundles.ts'

test('a bundle has the name of its content, in whatever order it is written', () => {
  const bundle = bundleOf('hcn', 'files', false, { a: 'one', b: 'two' })
  expect(bundle.name).toMatch(/^hcn-files-[0-9a-f]{10}$/)
  expect(bundleOf('hcn', 'files', false, { b: 'two', a: 'one' })).toEqual(bundle)
  expect(bundleOf('hcn', 'files', false, { a: 'one', b: 'three' }).name).not.toBe(bundle.name)
  expect(bundleOf('hcn', 'files', true, { a: 'one', b: 'two' }).name).not.toBe(bundle.name)
  expect(entryOf(bundle, 'b')).toBe('two')
})

test('files that look alike have keys of their own', () => {
  const paths = ['/etc/a.b', '/etc/a/b', '/etc/a b', '/etc/ä']
  const keys = paths.map(path => fileKey(path))
  expect(new Set(keys).size).toBe(paths.length)
  for (const key of keys) expect(key).toMatch(/^[-._a-zA-Z0-9]+$/)
  expect(fileKey('/etc/a.b', 'proxy')).not.toBe(fileKey('/etc/a.b'))
})

test.each([undefined, 's'.repeat(63)])('long paths have keys that fit, each its own (sidecar %s)', sidecar => {
  const paths = ['a', 'b'].map(first => `/${first}/${'x'.repeat(120)}/${'y'.repeat(200)}.json`)
  const keys = paths.map(path => fileKey(path, sidecar))
  expect(new Set(keys).size).toBe(2)
  for (const key of keys) expect(key).toMatch(/^[-._a-zA-Z0-9]{1,253}$/)
  expect(keys[0]).toContain('yyy.json-')
})
