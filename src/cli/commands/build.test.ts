// What cannot name an image is said before anything is built.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { isAlive } from '../../host/daemon.ts'
import { startRegistry } from '../../images/registry/registry.ts'
import { eventually } from '../../testing/eventually.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { build } from './build.ts'

const here = { clock: new FakeClock(), serverHere: async () => undefined }
const folder = mkdtempSync(join(tmpdir(), 'sampan-build-command-'))
afterAll(() => rmSync(folder, { recursive: true }))
beforeEach(() => {
  writeFileSync(join(folder, 'main.js'), '')
  writeFileSync(join(folder, 'app.yml'), 'name: dock')
})

const project = (facts: object): void =>
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'dock', main: 'main.js', ...facts }))
const built = (tag?: string): Promise<void> =>
  build(folder, { registry: '127.0.0.1:1', ...here, ...(tag !== undefined && { tag }) })

test.each(['1.0.0+7', `1.0.0-${'a'.repeat(128)}`])('the version %s of package.json', async version => {
  project({ version })
  await expect(built()).rejects.toThrow(`the version "${version}" of package.json cannot be the tag of an image`)
})

test('a tag that is none', async () => {
  project({ version: '1.0.0' })
  await expect(built('dock:1+7')).rejects.toThrow('expected NAME:VERSION such as geo-backend:1.0.0, found "dock:1+7"')
})

test('a tag with a registry in it, which would be another image in the registry of the cluster', async () => {
  project({ version: '1.0.0' })
  for (const registry of ['docker.io', 'localhost:1', '..'])
    await expect(built(`${registry}/dock:1`)).rejects.toThrow(`name that with --registry ${registry}`)
})

test('a manifest with a mistake', async () => {
  project({ version: '1.0.0' })
  writeFileSync(join(folder, 'app.yml'), 'name: dock\nreplica: 2')
  await expect(built()).rejects.toThrow(/app.yml:2: unknown field "replica"/)
})

test('a folder that is not there, and a project that has no version', async () => {
  const nowhere = join(folder, 'nowhere')
  await expect(build(nowhere, { registry: '127.0.0.1:1', ...here })).rejects.toThrow(
    `expected the folder of a service, found nothing at ${nowhere}`,
  )
  project({})
  writeFileSync(join(folder, 'Dockerfile'), 'FROM scratch')
  await expect(built()).rejects.toThrow(
    `Dockerfile in ${folder} has no version, and there is no commit; use --tag dock:VERSION`,
  )
  rmSync(join(folder, 'Dockerfile'))
})

test('a file, whose folder is meant', async () => {
  project({ version: '1.0.0' })
  const file = join(folder, 'package.json')
  await expect(build(file, { registry: '127.0.0.1:1', ...here })).rejects.toThrow(
    `expected the folder of a service, found a file: ${file}; name its folder: sampan build ${folder}`,
  )
})

test('Ctrl-C ends what runs, leaves nothing half-made, and is one line', async () => {
  const registry = await startRegistry({ directory: join(folder, 'registry'), host: '127.0.0.1', port: 0 })
  try {
    project({ version: '1.0.0' })
    writeFileSync(join(folder, 'app.yml'), `name: dock\nbuild: { run: [sh, -c, 'sleep 600 & echo $! > pid; wait'] }`)
    const cache = join(folder, 'cache')
    const args = ['src/main/cli.ts', 'build', folder, '--registry', `127.0.0.1:${registry.port}`]
    const child = spawn(process.execPath, args, { env: { ...process.env, XDG_CACHE_HOME: cache } })
    const said = text(child.stderr)
    const ended = once(child, 'exit')
    await eventually(
      'the start',
      () => existsSync(join(folder, 'pid')) && readFileSync(join(folder, 'pid'), 'utf8') !== '',
    )
    child.kill('SIGINT')
    expect(await ended).toEqual([130, null])
    expect((await said).split('\n').filter(line => !/^(?:✓|…|note:|builder:)/.test(line))).toEqual([
      'error: the build was interrupted, and nothing of it is left',
      '',
    ])
    expect(isAlive(Number(readFileSync(join(folder, 'pid'), 'utf8')))).toBe(false)
    expect(readdirSync(join(cache, 'sampan/layers')).filter(name => name.startsWith('making-'))).toEqual([])
  } finally {
    await registry.close()
  }
}, 60_000)
