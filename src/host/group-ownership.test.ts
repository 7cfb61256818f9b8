import { chmod, lstat, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { giveToGroup } from './group-ownership.ts'

let place = ''
let volume = ''
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'sampan-group-'))
  volume = join(place, 'volume')
  await mkdir(join(volume, 'deep'), { recursive: true })
  await writeFile(join(volume, 'deep/file'), '', { mode: 0o604 })
  await writeFile(join(place, 'outside'), '', { mode: 0o600 })
  await symlink(join(place, 'outside'), join(volume, 'link'))
  await chmod(volume, 0o700)
})
afterEach(() => rm(place, { recursive: true, force: true }))

const facts = async (path: string) => {
  const { gid, mode } = await lstat(path)
  return { gid, mode: mode & 0o7777 }
}
const isRoot = process.getuid?.() === 0

test.skipIf(!isRoot)(
  "everything is the group's to read and write, new entries too, and links are not followed (needs root)",
  async () => {
    await giveToGroup(volume, 4711, 'Always')
    expect(await facts(volume)).toEqual({ gid: 4711, mode: 0o2770 })
    expect(await facts(join(volume, 'deep/file'))).toEqual({ gid: 4711, mode: 0o664 })
    expect((await facts(join(volume, 'link'))).gid).toBe(4711)
    expect(await stat(join(place, 'outside'))).toMatchObject({ gid: 0, mode: 0o100600 })
  },
)

test.skipIf(!isRoot)(
  "with OnRootMismatch a directory that is the group's already is not walked (needs root)",
  async () => {
    await giveToGroup(volume, 4711, 'Always')
    await writeFile(join(volume, 'new'), '', { mode: 0o600 })
    await rm(join(volume, 'deep'), { recursive: true })
    await chmod(join(volume, 'new'), 0o600)
    await giveToGroup(volume, 4711, 'OnRootMismatch')
    expect((await facts(join(volume, 'new'))).mode).toBe(0o600)
    await giveToGroup(volume, 4711, 'Always')
    expect((await facts(join(volume, 'new'))).mode).toBe(0o660)
  },
)
