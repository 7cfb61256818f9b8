import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeFolder } from './make-folder.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sampan-folder-'))
})
afterEach(() => rmSync(root, { recursive: true }))

test('a folder is made with those above it, once or twice', () => {
  makeFolder(join(root, 'a/b/c'), 0o700)
  makeFolder(join(root, 'a/b/c'))
  expect(statSync(join(root, 'a/b')).mode & 0o777).toBe(0o700)
})

test('a file in its place or above it, and a folder of the kernel, end it', () => {
  writeFileSync(join(root, 'file'), '')
  expect(() => makeFolder(join(root, 'file'))).toThrow('EEXIST')
  expect(() => makeFolder(join(root, 'file/below'))).toThrow('ENOTDIR')
  expect(() => makeFolder('/proc/sampan/below')).toThrow('ENOENT')
})
