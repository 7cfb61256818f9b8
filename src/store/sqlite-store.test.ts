import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { testStore } from './contract.ts'
import { SqliteStore } from './sqlite-store.ts'

const directory = mkdtempSync(join(tmpdir(), 'sampan-store-'))
afterAll(() => rmSync(directory, { recursive: true }))

let number = 0
let file = ''
testStore('sqlite', {
  open: () => {
    file = join(directory, `${number++}.db`)
    return SqliteStore.open(file)
  },
  reopen: async store => {
    await store.close()
    return SqliteStore.open(file)
  },
})

test('a damaged file gives one clear sentence and is left alone', async () => {
  const damaged = join(directory, 'damaged.db')
  writeFileSync(damaged, 'this is no database'.repeat(100))
  await expect(SqliteStore.open(damaged)).rejects.toThrow(/is damaged .*restore it from a backup/)
})
