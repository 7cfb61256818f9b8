// What people are told of images that come and go, by a registry as it is.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FakeClock } from '../../testing/fake-clock.ts'
import { RegistryFixture } from '../../testing/registry-fixture.ts'
import { pruneImages, removeImages, type ImagesOptions } from './images.ts'

let registry: RegistryFixture
let options: ImagesOptions
let said: string
beforeEach(async () => {
  const clock = new FakeClock(Date.now())
  registry = await RegistryFixture.start({ clock })
  options = { registry: `127.0.0.1:${registry.port}`, clock }
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
