import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { mountsBelow } from './mounts.ts'

const mounted = (point: string): string => `45 27 0:39 / ${point} rw,relatime - tmpfs tmpfs rw\n`

test('mounts are found below a directory, and below a link to it', () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'sampan-mounts-')))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const [disk, link] = [join(root, 'disk'), join(root, 'link')]
  mkdirSync(join(disk, 'pods/1'), { recursive: true })
  symlinkSync(disk, link)
  const table = [`${disk}/pods/1`, `${disk}/pods/1/a\\040b`, `${disk}/pods/10`, '/'].map(mounted).join('')
  const expected = [`${disk}/pods/1`, `${disk}/pods/1/a b`]
  expect(mountsBelow(`${disk}/pods/1`, table)).toEqual(expected)
  expect(mountsBelow(`${link}/pods/1`, table)).toEqual(expected)
})
