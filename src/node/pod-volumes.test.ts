import { mkdir, mkdtemp, rm, stat, symlink, chmod, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { subPathOf } from './pod-volumes.ts'

let root = ''
let volume = ''
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sampan-sub-path-'))
  volume = join(root, 'volume')
  await mkdir(volume)
  await mkdir(join(root, 'elsewhere'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

describe('a part of a volume', () => {
  test('is made when it is missing, and is as open as the volume', async () => {
    await chmod(volume, 0o777)
    const path = await subPathOf(volume, 'a/b', false)
    expect(path).toBe(join(volume, 'a/b'))
    expect((await stat(path)).mode & 0o777).toBe(0o777)
  })

  test.each([
    ['..', 'must not contain'],
    ['/etc', 'must not contain'],
    ['out', 'leads outside'],
    ['out/deeper/still', 'leads outside'],
    ['dangling', 'leads to nothing'],
  ])('%s: %s', async (subPath, complaint) => {
    await symlink(join(root, 'elsewhere'), join(volume, 'out'))
    await symlink(join(root, 'missing'), join(volume, 'dangling'))
    await expect(subPathOf(volume, subPath, false)).rejects.toThrow(complaint)
    expect(await readdir(join(root, 'elsewhere'))).toEqual([])
  })
})
