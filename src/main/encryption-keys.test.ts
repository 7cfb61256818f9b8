import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { encryptionKeys } from './encryption-keys.ts'

const keys = mkdtempSync(join(tmpdir(), 'sampan-keys-'))
const file = join(keys, 'encryption.json')
afterAll(() => rmSync(keys, { recursive: true }))

test('keys are made once, for the owner alone, and a damaged file is told in one sentence', () => {
  const made = encryptionKeys({ keys })
  expect(made.map(({ id, secret }) => [id, secret.length])).toEqual([['1', 32]])
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(encryptionKeys({ keys })).toEqual(made)
  writeFileSync(file, '{"keys":[{"id":"1","secret":"c2hvcnQ="}]}')
  expect(() => encryptionKeys({ keys })).toThrow(/encryption\.json is damaged: expected keys of 32 bytes/)
})
