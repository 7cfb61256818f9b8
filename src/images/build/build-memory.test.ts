import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BuildMemory, type Ingredients } from './build-memory.ts'

let root: string
let asked = 0
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sampan-memory-'))
  asked = 0
})
afterEach(() => rmSync(root, { recursive: true }))

const made = { image: { digest: 'sha256:1', sizeBytes: 1, manifestBytes: 1 }, notes: ['note'] }
const ingredients = (more: Partial<Ingredients> & { commit?: string } = {}): Ingredients => ({
  snapshot: new Map([['/a', '1']]),
  others: { tool: 'x' },
  gitMarks: 'first',
  revision: async () => {
    asked++
    return { revision: more.commit ?? 'abc', source: undefined }
  },
  ...more,
})

test.each<[string, Parameters<typeof ingredients>[0], boolean, number]>([
  ['nothing changed', {}, true, 0],
  ['git did something, and the commit is the same', { gitMarks: 'second' }, true, 1],
  ['the commit is another one', { gitMarks: 'second', commit: 'def' }, false, 1],
  ['a file is another one', { snapshot: new Map([['/a', '2']]) }, false, 0],
  ['a tool is another one', { others: { tool: 'y' } }, false, 0],
])('when %s', async (_when, more, isKnown, questions) => {
  const memory = new BuildMemory(root, ['web'])
  await memory.remember(ingredients(), made)
  asked = 0
  expect(await memory.recall(ingredients(more))).toEqual(isKnown ? expect.objectContaining(made) : undefined)
  expect(asked).toBe(questions)
  expect(await new BuildMemory(root, ['other']).recall(ingredients())).toBeUndefined()
})
