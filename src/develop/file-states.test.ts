import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { changesBetween, fileStates } from './file-states.ts'

const folder = mkdtempSync(join(tmpdir(), 'sampan-states-'))
afterAll(() => rmSync(folder, { recursive: true }))
const filter = { includes: () => true, mayHold: () => true }

test('of a folder that the first build has yet to make are none, and what it makes is a change', async () => {
  const roots = [{ from: join(folder, 'dist'), to: '/app/dist', filter }]
  expect(await fileStates(roots)).toEqual(new Map())
})

test('are told apart by what they hold; large ones come in parts, links as links', async () => {
  const roots = [{ from: folder, to: '/app', filter }]
  writeFileSync(join(folder, 'a'), 'a')
  writeFileSync(join(folder, 'b'), 'b')
  const before = await fileStates(roots)
  writeFileSync(join(folder, 'a'), 'a')
  rmSync(join(folder, 'b'))
  symlinkSync('a', join(folder, 'link'))
  writeFileSync(join(folder, 'large'), Buffer.alloc((4 << 20) + 1))
  const changes = changesBetween(before, await fileStates(roots, before))
  expect(changes.map(({ path, link, at, more }) => [path, link, at, more])).toEqual([
    ['/app/b', undefined, undefined, undefined],
    ['/app/large', undefined, 0, true],
    ['/app/large', undefined, 4 << 20, false],
    ['/app/link', 'a', undefined, undefined],
  ])
})
