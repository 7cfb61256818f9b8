import { afterAll, beforeAll, expect, test } from 'vitest'
import { FakeClock } from '../testing/fake-clock.ts'
import { RegistryFixture } from '../testing/registry-fixture.ts'
import { offeredImages } from './offered-images.ts'

const here = { clock: new FakeClock(), serverHere: async () => undefined }
let registry: RegistryFixture
beforeAll(async () => {
  registry = await RegistryFixture.start()
  for (const [name, tag] of [
    ['team/web', '1.0'],
    ['team/web', '2.0'],
    ['api', '1.0'],
  ] as const)
    await registry.pushImage(name, tag, 'layer')
})
afterAll(() => registry.close())

test('images of the registry that is named are offered', async () => {
  const words = ['images', 'rm', '--registry', `127.0.0.1:${registry.port}`, '']
  expect(await offeredImages(words, here)).toEqual(['api:1.0', 'team/web:1.0', 'team/web:2.0'])
})

test('none are offered of one that is not there', async () => {
  expect(await offeredImages(['images', 'rm', '--registry', '127.0.0.1:1', ''], here)).toEqual([])
})
