import { mkdtemp, readdir, rm, stat, symlink, writeFile, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { directoriesBelow } from './volume-directories.ts'

let place = ''
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'sampan-volumes-'))
})
afterEach(() => rm(place, { recursive: true, force: true }))

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777

test('a directory is open to every user, and their root to nobody else', async () => {
  const root = join(place, 'volumes')
  const path = await directoriesBelow(root).create('pvc-1_n_data')
  expect([await modeOf(root), await modeOf(path)]).toEqual([0o700, 0o777])
  await writeFile(join(path, 'kept'), '')
  expect(await directoriesBelow(root).create('pvc-1_n_data')).toBe(path)
  expect(await readdir(path)).toEqual(['kept'])
})

test('a directory goes with all it holds, and going twice is no mistake', async () => {
  const volumes = directoriesBelow(join(place, 'volumes'))
  const path = await volumes.create('pvc-1_n_data')
  await mkdir(join(path, 'a/b'), { recursive: true })
  await symlink(place, join(path, 'link'))
  await volumes.remove(path)
  await volumes.remove(path)
  expect(await readdir(join(place, 'volumes'))).toEqual([])
})

test.each(['volumes', 'other/x', 'volumes/a/b', 'volumes/.hidden', 'volumes/../other'])(
  '%s is left alone',
  async path => {
    await mkdir(join(place, path), { recursive: true })
    await expect(directoriesBelow(join(place, 'volumes')).remove(`${place}/${path}`)).rejects.toThrow(
      'it is left alone',
    )
    expect((await stat(join(place, path))).isDirectory()).toBe(true)
  },
)
