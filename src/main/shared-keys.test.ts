// Two servers on one store, of which one gets a new encryption key.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { MemoryStore } from '../store/memory-store.ts'
import type { StoreEvent } from '../store/store.ts'
import { ownToken, publishIdentity, readIdentity, saveIdentity } from './cluster-identity.ts'
import type { ClusterFacts } from './data-directory.ts'
import { encryptionKeys, formatKeys, saveKeys } from './encryption-keys.ts'
import { encryptShared } from './open-store.ts'

const facts = (nodeName: string, podCidr: string): ClusterFacts =>
  ({
    nodeName,
    network: { podCidr, serviceCidr: '10.43.0.0/16', dnsAddress: '10.43.0.10', domain: 'cluster.local' },
  }) as ClusterFacts
const secret = '/registry/core/secrets/default/s'
const newKey = { id: '2', secret: Buffer.alloc(32, 7) }
let directory: string
let store: MemoryStore
let first: { name: string; keys: string }
let second: { name: string; keys: string }

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sampan-shared-keys-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  store = new MemoryStore()
  first = { name: 'c', keys: join(directory, 'first') }
  second = { name: 'c', keys: join(directory, 'second') }
  mkdirSync(first.keys)
  for (const file of ['ca.crt', 'ca.key', 'front-proxy-ca.crt', 'front-proxy-ca.key', 'tokens.key'])
    writeFileSync(join(first.keys, file), file)
  encryptionKeys(first)
  await publishIdentity(store, first, facts('a', '10.42.0.0/16'))
  const token = ownToken(first)!
  saveIdentity(second, (await readIdentity(store, token))!, token)
})

const idsOf = (keys: string): string[] => encryptionKeys({ keys }).map(({ id }) => id)
const keyOf = async (key: string): Promise<string> =>
  Buffer.from((await store.get(key))!.value)
    .toString('latin1')
    .split(':')[3]!

/** As somebody does who edits the file. */
const addKey = (places: { keys: string }): void => saveKeys(places, [newKey, ...encryptionKeys(places)])

test("a key that one server starts with is everybody's, before the first value comes that needs it", async () => {
  const running = await encryptShared(store, second)
  const seen: string[] = []
  await running.watch('/registry/', 0, (events: readonly StoreEvent[]) => {
    for (const { entry } of events) seen.push(Buffer.from(entry.value).toString())
  })
  await running.put(secret, Buffer.from('old'), 0)
  expect(await keyOf(secret)).toBe('1')

  addKey(first)
  const restarted = await encryptShared(store, first)
  expect(await restarted.encryptAll()).toBe(1)
  await publishIdentity(restarted, first, facts('a', '10.42.0.0/16'))
  expect(await keyOf(secret)).toBe('2')
  expect(seen).toEqual(['old', 'old'])
  expect([idsOf(second.keys), statSync(join(second.keys, 'encryption.json')).mode & 0o777]).toEqual([['2', '1'], 0o600])
  // The one that was told encrypts with it as well.
  await running.put('/registry/core/secrets/default/t', Buffer.from('new'), 0)
  expect(await keyOf('/registry/core/secrets/default/t')).toBe('2')
  // Nothing of it can be read in the store.
  expect(Buffer.from((await store.get('/identity'))!.value).toString('latin1')).not.toContain(
    newKey.secret.toString('base64'),
  )
})

test('a server that was down meanwhile finds the key at its start, does not take it back, and gets a lost file again', async () => {
  addKey(first)
  const restarted = await encryptShared(store, first)
  await restarted.put(secret, Buffer.from('text'), 0)
  const joined = await encryptShared(store, second)
  await publishIdentity(joined, second, facts('b', '10.44.0.0/16'))
  expect(Buffer.from((await joined.get(secret))!.value).toString()).toBe('text')
  expect([idsOf(second.keys), idsOf(first.keys)]).toEqual([
    ['2', '1'],
    ['2', '1'],
  ])
  rmSync(join(second.keys, 'encryption.json'))
  const again = await encryptShared(store, second)
  expect(Buffer.from((await again.get(secret))!.value).toString()).toBe('text')
  expect(readFileSync(join(second.keys, 'encryption.json'), 'utf8')).toBe(formatKeys(encryptionKeys(first)))
})

test('a value that was read before the key was told is read all the same', async () => {
  const deaf = new Proxy(store, {
    get: (target, property) =>
      property === 'watch' ? async () => ({ close() {} }) : (Reflect.get(target, property).bind(target) as unknown),
  })
  const running = await encryptShared(deaf, second)
  addKey(first)
  await (await encryptShared(store, first)).put(secret, Buffer.from('text'), 0)
  expect((await running.range('/registry/')).entries.map(({ value }) => Buffer.from(value).toString())).toEqual([
    'text',
  ])
})

test('an identity that cannot be read does not end the watch of others', async () => {
  const running = await encryptShared(store, second)
  const seen: string[] = []
  await running.watch('/registry/', 0, (events: readonly StoreEvent[]) => {
    for (const { entry } of events) seen.push(entry.key)
  })
  await store.put('/identity', Buffer.from('garbage'), (await store.get('/identity'))!.revision)
  await running.put(secret, Buffer.from('text'), 0)
  expect(seen).toEqual([secret])
})

test('both of two keys that come at the same time stay; two under one id are refused in one sentence', async () => {
  saveKeys(first, [newKey, ...encryptionKeys(first)])
  saveKeys(second, [{ id: '3', secret: Buffer.alloc(32, 9) }, ...encryptionKeys(second)])
  await Promise.all([encryptShared(store, first), encryptShared(store, second)])
  expect([idsOf(first.keys).toSorted(), idsOf(second.keys).toSorted()]).toEqual([
    ['1', '2', '3'],
    ['1', '2', '3'],
  ])
  const third = { name: 'c', keys: join(directory, 'third') }
  mkdirSync(third.keys)
  copyFileSync(join(first.keys, 'join-token'), join(third.keys, 'join-token'))
  saveKeys(third, [{ id: '2', secret: Buffer.alloc(32, 1) }])
  await expect(encryptShared(store, third)).rejects.toThrow(
    /encryption\.json has a key "2" that is another one in the cluster/,
  )
})
