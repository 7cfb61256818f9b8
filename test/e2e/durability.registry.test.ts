// The registry's process is killed with SIGKILL while images are pushed to it, again and again, and its disk runs full.
// SAMPAN_KILLS and SAMPAN_SEED choose how often and when.
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { digestOf } from '../../src/images/registry/digest.ts'
import { RegistryCalls, RegistryFixture } from '../../src/testing/registry-fixture.ts'
import { seededRandom } from '../../src/testing/seeded-random.ts'
import { faultsOf } from '../../src/testing/whole-registry.ts'

const kills = Number(process.env['SAMPAN_KILLS'] ?? 40)
const seed = Number(process.env['SAMPAN_SEED'] ?? Date.now() % 1_000_000)
const server = join(import.meta.dirname, 'processes/registry-server.ts')

/** What the registry has said that it has. */
class Acknowledged {
  readonly blobs = new Map<string, Buffer>()
  readonly manifests = new Set<string>()
  /** The one that was acknowledged last, and those that were begun since. */
  readonly tags = new Map<string, Set<string>>()
  readonly uploads = new Map<string, { content: Buffer; size: number }>()
}

async function push(calls: RegistryCalls, writer: number, random: () => number, known: Acknowledged): Promise<void> {
  const repository = `killed/w${writer % 2}`
  const layer = randomBytes(1000 + Math.floor(random() * 300_000))
  if (random() < 0.5) {
    await calls.pushBlob(repository, layer)
  } else {
    const location = await calls.startUpload(repository)
    for (let start = 0; start < layer.length; start += 100_000) {
      const response = await calls.call('PATCH', location, layer.subarray(start, start + 100_000))
      if (response.status !== 202) throw new Error(`PATCH: ${response.status}`)
      known.uploads.set(location, { content: layer, size: Math.min(layer.length, start + 100_000) })
    }
    known.uploads.delete(location)
    const response = await calls.call('PUT', `${location}?digest=${digestOf(layer)}`)
    if (response.status !== 201) throw new Error(`PUT: ${response.status}`)
  }
  known.blobs.set(`${repository}/blobs/${digestOf(layer)}`, layer)
  const config = Buffer.from('{}')
  await calls.pushBlob(repository, config)
  const manifest = JSON.stringify({
    schemaVersion: 2,
    config: { digest: digestOf(config), size: 2 },
    layers: [{ digest: digestOf(layer), size: layer.length }],
  })
  const tag = `${repository}/manifests/t${Math.floor(random() * 3)}`
  const candidates = known.tags.get(tag) ?? new Set()
  known.tags.set(tag, candidates.add(digestOf(manifest)))
  await calls.pushManifest(repository, tag.split('/').at(-1)!, manifest)
  known.manifests.add(`${repository}/manifests/${digestOf(manifest)}`)
  // Another writer may have moved it meanwhile: either may be the last.
}

test(`what was acknowledged survives ${kills} kills whole, seed ${seed}`, { timeout: 600_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sampan-killed-registry-'))
  const random = seededRandom(seed)
  const known = new Acknowledged()
  for (let round = 0; round < kills; round++) {
    const child = spawn(process.execPath, [server, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [port] = (await once(child.stdout, 'data')) as [Buffer]
    const calls = new RegistryCalls(`http://127.0.0.1:${String(port).trim()}`)
    let isKilled = false
    const writers = Array.from({ length: 4 }, async (_unused, writer) => {
      while (!isKilled)
        await push(calls, writer, random, known).catch((error: unknown) => {
          if (!isKilled) throw error
        })
    })
    await sleep(50 + random() * 350)
    isKilled = true
    child.kill('SIGKILL')
    await once(child, 'close')
    await Promise.all(writers)
  }
  const registry = await RegistryFixture.start({ directory })
  for (const [path, content] of known.blobs) expect((await registry.bytes(path)).equals(content)).toBe(true)
  for (const path of known.manifests) expect(digestOf(await registry.bytes(path))).toBe(path.split('/').at(-1))
  for (const [path, candidates] of known.tags) {
    const response = await registry.call('HEAD', path)
    if (response.status === 200) expect(candidates).toContain(response.headers.get('docker-content-digest'))
  }
  for (const [location, { content, size }] of known.uploads) {
    const state = await registry.call('GET', location)
    // Its closing request may have been done without being acknowledged.
    if (state.status === 404) continue
    const start = Number(state.headers.get('range')!.slice(2)) + 1
    expect(start).toBeGreaterThanOrEqual(size)
    const path = `${location}?digest=${digestOf(content)}`
    const headers = { ...(start < content.length && { 'Content-Range': `${start}-${content.length - 1}` }) }
    expect((await registry.call('PUT', path, content.subarray(start), headers)).status).toBe(201)
  }
  expect(await faultsOf(registry)).toEqual([])
  expect(await registry.status('POST', '_sampan/prune?dryRun=true')).toBe(200)
  const files = readdirSync(directory, { recursive: true }).map(String)
  expect(files.filter(path => path.includes('/.'))).toEqual([])
  console.log(
    `seed ${seed}: ${kills} kills, ${known.blobs.size} blobs, ${known.manifests.size} images, ${known.uploads.size} uploads under way`,
  )
  expect(known.manifests.size).toBeGreaterThan(kills)
  await registry.close()
})

test('a full disk is told, nothing half-written is served, and there is room again after a prune', async () => {
  const disk = mkdtempSync(join(tmpdir(), 'sampan-full-registry-'))
  expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]).status).toBe(0)
  const registry = await RegistryFixture.start({ directory: join(disk, 'registry') })
  try {
    const kept = await registry.pushImage('web', 'kept', [randomBytes(3_000_000)])
    const large = randomBytes(6_000_000)
    const location = await registry.startUpload('web')
    const whole = `web/blobs/uploads/?digest=${digestOf(large)}`
    for (const [method, path] of [
      ['POST', whole],
      ['PATCH', location],
      ['PUT', `${await registry.startUpload('web')}?digest=${digestOf(large)}`],
    ] as const) {
      const response = await registry.call(method, path, large)
      expect(response.status).toBe(507)
      expect(await response.text()).toContain('the disk of the registry is full')
    }
    // What was begun holds no room.
    expect(readdirSync(join(disk, 'registry', 'uploads'))).toEqual([])
    expect(await registry.status('HEAD', `web/blobs/${digestOf(large)}`)).toBe(404)
    // To the last byte, so that not even a tag has room.
    spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'filler')}`, 'bs=4096'])
    const moved = await registry.call('PUT', 'web/manifests/kept', JSON.stringify({ schemaVersion: 2, layers: [] }))
    expect(moved.status).toBe(507)
    expect((await registry.call('HEAD', 'web/manifests/kept')).headers.get('docker-content-digest')).toBe(kept.digest)
    expect(await faultsOf(registry)).toEqual([])
    rmSync(join(disk, 'filler'))
    await registry.pushImage('web', 'next', [randomBytes(3_000_000)])
    expect(await faultsOf(registry)).toEqual([])
  } finally {
    await registry.registry.close()
    spawnSync('umount', [disk])
    rmSync(disk, { recursive: true })
  }
})
