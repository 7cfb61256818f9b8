import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { identityFile, makeIdentity, readIdentities, takeIdentitySource } from './identities.ts'

const home = mkdtempSync(join(tmpdir(), 'sampan-identity-'))
afterAll(() => rmSync(home, { recursive: true }))

test('the key is taken out of the environment, where other processes would find it', () => {
  const environment = { SAMPAN_AGE_KEY: 'AGE-SECRET-KEY-1X', PATH: '/bin' }
  expect(takeIdentitySource(environment, home)).toEqual({ key: 'AGE-SECRET-KEY-1X', keyFile: undefined, home })
  expect(environment).toEqual({ PATH: '/bin' })
})

test('an identity that was made is read again, by its owner alone, and never replaced', async () => {
  const source = takeIdentitySource({}, home)
  const made = await makeIdentity(identityFile(source), '2026-01-01T00:00:00Z')
  expect(await readIdentities(source)).toEqual([made])
  expect(statSync(identityFile(source)).mode & 0o777).toBe(0o600)
  expect(statSync(join(home, '.config', 'sampan')).mode & 0o777).toBe(0o700)
  await expect(makeIdentity(identityFile(source), '')).rejects.toThrow('is there already')
  expect(readFileSync(identityFile(source), 'utf8')).toContain(made.key)
})

test('the key itself counts before a named file, and that before the own one', async () => {
  const named = await makeIdentity(join(home, 'named.txt'), '')
  const source = { key: undefined, keyFile: join(home, 'named.txt'), home }
  expect(await readIdentities(source)).toEqual([named])
  const [own] = await readIdentities({ ...source, keyFile: undefined })
  expect(await readIdentities({ ...source, key: `# ours\n${own!.key}\n` })).toEqual([own])
})

test.each([0o640, 0o604, 0o620, 0o666])('a file with mode %o is refused, with what to do', async mode => {
  const file = join(home, `mode-${mode}.txt`)
  await makeIdentity(file, '')
  chmodSync(file, mode)
  const reading = readIdentities({ key: undefined, keyFile: file, home })
  await expect(reading).rejects.toThrow(`(mode ${mode.toString(8)}); make it yours with "chmod 600 ${file}"`)
})

test('a file without a key, or with something else, is told by its line and without what it holds', async () => {
  const file = join(home, 'broken.txt')
  writeFileSync(file, '# nothing\n', { mode: 0o600 })
  const source = { key: undefined, keyFile: file, home }
  await expect(readIdentities(source)).rejects.toThrow('has no identity')
  writeFileSync(file, '# nothing\nAGE-SECRET-KEY-1BROKEN\n')
  await expect(readIdentities(source)).rejects.toThrow('line 2 is no identity of age: expected AGE-SECRET-KEY-1...')
  await expect(readIdentities(source)).rejects.not.toThrow('BROKEN')
  await expect(readIdentities({ ...source, keyFile: join(home, 'none') })).rejects.toThrow('(ENOENT)')
})
