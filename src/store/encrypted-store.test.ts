import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { testStore } from './contract.ts'
import { EncryptedStore, type EncryptionKey } from './encrypted-store.ts'
import { MemoryStore } from './memory-store.ts'
import { SqliteStore } from './sqlite-store.ts'

const directory = mkdtempSync(join(tmpdir(), 'sampan-encrypted-'))
afterAll(() => rmSync(directory, { recursive: true }))

const oldKey: EncryptionKey = { id: '1', secret: randomBytes(32) }
const newKey: EncryptionKey = { id: '2', secret: randomBytes(32) }
const secrets = '/registry/core/secrets/'
const text = 'the text that nobody may read'

testStore('encrypted', {
  open: async () => new EncryptedStore(new MemoryStore(), { keys: [newKey, oldKey], prefixes: ['/'] }),
})

test('the text of a secret is in none of the files, before and after compaction', async () => {
  const file = join(directory, 'store.db')
  const store = new EncryptedStore(await SqliteStore.open(file), { keys: [oldKey], prefixes: [secrets] })
  const readable = Buffer.from('a text that anybody may read')
  await store.put('/registry/core/configmaps/a', readable, 0)
  for (let number = 0; number < 50; number++) {
    const first = await store.put(`${secrets}s${number}`, Buffer.from(text.repeat(20)), 0)
    if (first.ok) await store.put(`${secrets}s${number}`, Buffer.from(`${text} again`), first.revision)
  }
  const found = (wanted: string): boolean =>
    readdirSync(directory).some(name => readFileSync(join(directory, name)).includes(wanted))
  expect([found(text), found(readable.toString())]).toEqual([false, true])
  await store.compact(await store.currentRevision())
  await store.close()
  expect([found(text), found(readable.toString())]).toEqual([false, true])
})

test('values from before encryption and of older keys are read, and written again with the newest', async () => {
  const inner = new MemoryStore()
  await inner.put(`${secrets}plain`, Buffer.from('{"plain":1}'), 0)
  await new EncryptedStore(inner, { keys: [oldKey], prefixes: [secrets] }).put(
    `${secrets}old`,
    Buffer.from('{"old":1}'),
    0,
  )
  const store = new EncryptedStore(inner, { keys: [newKey, oldKey], prefixes: [secrets] })
  const read = async (from: EncryptedStore) =>
    (await from.range(secrets)).entries.map(({ value }) => Buffer.from(value).toString())
  expect(await read(store)).toEqual(['{"old":1}', '{"plain":1}'])
  expect([await store.encryptAll(), await store.encryptAll()]).toEqual([2, 0])
  expect(await read(new EncryptedStore(inner, { keys: [newKey], prefixes: [secrets] }))).toEqual([
    '{"old":1}',
    '{"plain":1}',
  ])
})

test('a value in the wrong place, a changed value and a missing key are noticed', async () => {
  const inner = new MemoryStore()
  const store = new EncryptedStore(inner, { keys: [oldKey], prefixes: [secrets] })
  await store.put(`${secrets}a`, Buffer.from('a'), 0)
  const { value } = (await inner.get(`${secrets}a`))!
  await inner.put(`${secrets}b`, value.slice(), 0)
  await expect(store.get(`${secrets}b`)).rejects.toThrow(/b cannot be decrypted .* restore them from a backup/)
  const changed = value.slice()
  changed[changed.length - 20]! ^= 1
  await inner.put(`${secrets}c`, changed, 0)
  await expect(store.get(`${secrets}c`)).rejects.toThrow(/cannot be decrypted/)
  await expect(new EncryptedStore(inner, { keys: [newKey], prefixes: [secrets] }).get(`${secrets}a`)).rejects.toThrow(
    /encrypted with the key "1", which is not among/,
  )
})
