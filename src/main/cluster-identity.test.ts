import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MemoryStore } from '../store/memory-store.ts'
import {
  holdsCluster,
  ownToken,
  ownTokenText,
  parseToken,
  publishIdentity,
  readIdentity,
  saveIdentity,
} from './cluster-identity.ts'
import type { ClusterFacts } from './data-directory.ts'

const files = ['ca.crt', 'ca.key', 'front-proxy-ca.crt', 'front-proxy-ca.key', 'tokens.key', 'encryption.json']
const facts = {
  nodeName: 'a',
  network: {
    podCidr: '10.42.0.0/16',
    serviceCidr: '10.43.0.0/16',
    dnsAddress: '10.43.0.10',
    nodeAddress: '10.42.255.254',
    domain: 'cluster.local',
  },
} as ClusterFacts
let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sampan-identity-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function server(name: string): { name: string; keys: string } {
  const keys = join(directory, name)
  mkdirSync(keys)
  for (const file of files) writeFileSync(join(keys, file), `${file} of ${name}`)
  return { name, keys }
}

test('who has the token gets the keys of the cluster; nothing of them can be read in the store', async () => {
  const store = new MemoryStore()
  const first = server('first')
  expect(await holdsCluster(store)).toBe(false)
  await publishIdentity(store, first, facts)
  expect(await holdsCluster(store)).toBe(true)
  expect(Buffer.from((await store.get('/identity'))!.value).toString('latin1')).not.toContain('of first')
  const token = parseToken(` ${ownTokenText(first)}\n`)
  expect(token.cluster).toBe('first')
  const identity = (await readIdentity(store, token))!
  expect(identity.network).toEqual({ serviceCidr: '10.43.0.0/16', dnsAddress: '10.43.0.10', domain: 'cluster.local' })
  const second = { keys: join(directory, 'second') }
  saveIdentity(second, identity, token)
  for (const file of files)
    expect([readFileSync(join(second.keys, file), 'utf8'), statSync(join(second.keys, file)).mode & 0o777]).toEqual([
      `${file} of first`,
      0o600,
    ])
  expect([ownToken(second), statSync(join(second.keys, 'join-token')).mode & 0o777]).toEqual([token, 0o600])
  // A later start changes nothing.
  const { revision } = (await store.get('/identity'))!
  await publishIdentity(store, first, facts)
  expect((await store.get('/identity'))!.revision).toBe(revision)
})

test('a wrong token and another cluster are refused in one sentence', async () => {
  const store = new MemoryStore()
  await publishIdentity(store, server('first'), facts)
  const other = server('other')
  await expect(publishIdentity(store, other, facts)).rejects.toThrow(
    /the token does not fit the cluster "other" in this etcd, which is another one; print the right token/,
  )
  expect(ownToken(other)).toBeUndefined()
  expect(() => parseToken('sampan-join.first')).toThrow(/expected the token that "sampan status --join-token" prints/)
})
