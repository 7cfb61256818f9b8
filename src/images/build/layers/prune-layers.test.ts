import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { keptLayer } from './kept-layer.ts'
import { pruneLayers, unusedMs } from './prune-layers.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sampan-prune-'))
})
afterEach(() => rmSync(root, { recursive: true }))

const nowMs = Date.now()
const put = (path: string, daysAgo: number): void => {
  const file = join(root, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, 'x'.repeat(5000))
  const seconds = (nowMs - daysAgo * 24 * 3_600_000) / 1000
  utimesSync(file, seconds, seconds)
  const parent = dirname(file)
  if (parent !== root) utimesSync(parent, seconds, seconds)
}

test('what was not used for a month goes, with all that belongs to it, and nothing else', async () => {
  for (const name of ['old.tar', 'old.json', 'cargo-1/target', 'dockerfile/layers', 'base/old']) put(name, 40)
  for (const name of ['half.tar', 'making-1/project']) put(name, 40)
  for (const name of ['half.json', 'new.tar', 'base/new']) put(name, 2)
  const told = await pruneLayers(root, { nowMs, dryRun: true })
  expect(readdirSync(root)).toHaveLength(9)
  expect(await pruneLayers(root, { nowMs })).toEqual(told)
  expect(told.removedBytes).toBeGreaterThan(20_000)
  expect(told.removedBytes).toBeLessThan(told.bytes)
  expect(readdirSync(root).toSorted()).toEqual(['base', 'half.json', 'half.tar', 'making-1', 'new.tar'])
  expect(readdirSync(join(root, 'base'))).toEqual(['new'])
  expect(await pruneLayers(join(root, 'nowhere'), { nowMs })).toEqual({ bytes: 0, removedBytes: 0 })
})

test('a layer that a build takes is used', async () => {
  const cache = { cacheDirectory: root, note: () => {} }
  const make = () => keptLayer(cache, 'layer', async () => ({ entries: [] }))
  await make()
  for (const name of ['layer.tar', 'layer.json']) utimesSync(join(root, name), 1, 1)
  expect((await make()).cached).toBe(true)
  await pruneLayers(root, { nowMs: nowMs + unusedMs / 2 })
  expect(existsSync(join(root, 'layer.tar'))).toBe(true)
  await pruneLayers(root, { nowMs: nowMs + 2 * unusedMs })
  expect(existsSync(join(root, 'layer.tar'))).toBe(false)
})
