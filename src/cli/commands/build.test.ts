// What cannot name an image is said before anything is built.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { FakeClock } from '../../testing/fake-clock.ts'
import { build } from './build.ts'

const folder = mkdtempSync(join(tmpdir(), 'sampan-build-command-'))
afterAll(() => rmSync(folder, { recursive: true }))
beforeEach(() => {
  writeFileSync(join(folder, 'main.js'), '')
  writeFileSync(join(folder, 'app.yml'), 'name: dock')
})

const project = (facts: object): void =>
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'dock', main: 'main.js', ...facts }))
const built = (tag?: string): Promise<void> =>
  build(folder, { registry: '127.0.0.1:1', clock: new FakeClock(), ...(tag !== undefined && { tag }) })

test.each(['1.0.0+7', `1.0.0-${'a'.repeat(128)}`])('the version %s of package.json', async version => {
  project({ version })
  await expect(built()).rejects.toThrow(`the version "${version}" of package.json cannot be the tag of an image`)
})

test('a tag that is none', async () => {
  project({ version: '1.0.0' })
  await expect(built('dock:1+7')).rejects.toThrow('expected NAME:VERSION such as geo-backend:1.0.0, found "dock:1+7"')
})

test('a manifest with a mistake', async () => {
  project({ version: '1.0.0' })
  writeFileSync(join(folder, 'app.yml'), 'name: dock\nreplica: 2')
  await expect(built()).rejects.toThrow(/app.yml:2: unknown field "replica"/)
})

test('a folder that is not there, and a project that has no version', async () => {
  const nowhere = join(folder, 'nowhere')
  await expect(build(nowhere, { registry: '127.0.0.1:1', clock: new FakeClock() })).rejects.toThrow(
    `expected the folder of a service, found nothing at ${nowhere}`,
  )
  project({})
  writeFileSync(join(folder, 'Dockerfile'), 'FROM scratch')
  await expect(built()).rejects.toThrow(
    `Dockerfile in ${folder} has no version, and there is no commit; use --tag dock:VERSION`,
  )
  rmSync(join(folder, 'Dockerfile'))
})
