// What people are told of images that come and go, by a registry as it is.
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { pack } from 'tar-stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FakeClock } from '../../testing/fake-clock.ts'
import { digestOf } from '../../images/registry/digest.ts'
import { imageType, indexType, RegistryFixture } from '../../testing/registry-fixture.ts'
import { importArchive, pruneImages, removeImages, type ImagesOptions } from './images.ts'

let registry: RegistryFixture
let options: ImagesOptions
let said: string
beforeEach(async () => {
  const clock = new FakeClock(Date.now())
  registry = await RegistryFixture.start({ clock })
  options = { registry: `127.0.0.1:${registry.port}`, clock, serverHere: async () => undefined }
  said = ''
  vi.spyOn(process.stderr, 'write').mockImplementation(text => {
    said += String(text)
    return true
  })
})
afterEach(async () => {
  vi.restoreAllMocks()
  await registry.close()
})

test('the space of a tag that was taken away is free later, and it is said when', async () => {
  await registry.pushImage('web', '1.0.0', 'layer')
  await removeImages(['web:1.0.0'], options)
  expect(said).toContain('removed web:1.0.0; in an hour, its space is freed by: sampan images prune')
  await pruneImages({ ...options, dryRun: true, imageCache: '/nowhere' })
  expect(said).toMatch(/\n0 B would be free: .*\n\d.* that nothing uses would stay: .* within the last hour/)
})

test('platforms that an archive does not hold are named beside what was imported', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sampan-images-'))
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: imageType,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf('{}'), size: 2 },
    layers: [],
  })
  const child = (content: string, architecture: string): object => ({
    mediaType: imageType,
    digest: digestOf(content),
    size: content.length,
    platform: { os: 'linux', architecture },
  })
  const manifests = [child(manifest, 'amd64'), child('elsewhere', 'arm64')]
  const index = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests })
  const annotations = { 'io.containerd.image.name': 'docker.io/library/multi:1' }
  const tar = pack()
  tar.entry({ name: 'oci-layout' }, '{"imageLayoutVersion":"1.0.0"}')
  const root = { mediaType: indexType, digest: digestOf(index), size: index.length, annotations }
  tar.entry({ name: 'index.json' }, JSON.stringify({ manifests: [root] }))
  for (const blob of [index, manifest, '{}']) tar.entry({ name: `blobs/${digestOf(blob).replace(':', '/')}` }, blob)
  tar.finalize()
  await pipeline(tar, createWriteStream(join(folder, 'multi.tar')))
  await importArchive(join(folder, 'multi.tar'), options)
  expect(said).toContain('imported sampan.local/multi:1\nnote: the archive does not hold it for linux/arm64\n')
  rmSync(folder, { recursive: true })
})
