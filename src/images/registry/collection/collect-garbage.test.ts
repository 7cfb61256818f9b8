// What goes and what stays, with a clock that tests move.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Clock } from '../../../lib/clock.ts'
import { FakeClock } from '../../../testing/fake-clock.ts'
import { imageType, RegistryFixture, succeeded, type PushedImage } from '../../../testing/registry-fixture.ts'
import { digestOf } from '../digest.ts'
import { graceMs, untaggedMs, uploadMs, type Collected } from './collect-garbage.ts'
import { neededManifests, type MarkedManifest } from './needed-manifests.ts'

let clock: FakeClock
let registry: RegistryFixture
let used: Set<string>
let inUse: () => Promise<ReadonlySet<string>>
beforeEach(async () => {
  clock = new FakeClock(Date.now())
  used = new Set()
  inUse = () => Promise.resolve(used)
  // Collections come when a test asks for them.
  const still: Clock = { now: () => clock.now(), after: () => ({ cancel: () => {} }) }
  registry = await RegistryFixture.start({ clock: still, inUse: () => inUse() })
})
afterEach(() => registry.close())

async function prune(query = ''): Promise<Collected> {
  const response = await succeeded(registry.call('POST', `_sampan/prune${query}`))
  return (await response.json()) as Collected
}
const has = async (repository: string, { digest, layers }: PushedImage): Promise<boolean> =>
  (await registry.status('GET', `${repository}/manifests/${digest}`)) === 200 &&
  (await registry.status('GET', `${repository}/blobs/${layers[0]}`)) === 200
const blobFiles = (): string[] => readdirSync(join(registry.directory, 'blobs', 'sha256'))

/** An image that has lost its tag. */
async function untagged(layer: string, repository = 'web'): Promise<PushedImage> {
  const image = await registry.pushImage(repository, 'moving', layer)
  await registry.status('DELETE', `${repository}/manifests/moving`)
  return image
}

describe('what stays', () => {
  test('what a tag points to, with all it consists of', async () => {
    const image = await registry.pushImage('web', '1.0.0', 'layer')
    const index = await registry.pushManifest('web', 'index', {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [{ mediaType: imageType, digest: image.digest, size: image.manifest.length }],
    })
    await registry.status('DELETE', 'web/manifests/1.0.0')
    await clock.advance(10 * untaggedMs)
    expect(await prune()).toEqual({ images: [], blobs: 0, uploads: 0, bytes: 0, youngBytes: 0 })
    expect(await has('web', image)).toBe(true)
    expect(await registry.status('GET', `web/manifests/${index}`)).toBe(200)
  })

  test('what a pod or a kept release names by its digest', async () => {
    const [running, other] = [await untagged('running'), await untagged('other')]
    used.add(running.digest)
    await clock.advance(10 * untaggedMs)
    const { images } = await prune()
    expect(images).toEqual([`web@${other.digest}`])
    expect([await has('web', running), await has('web', other)]).toEqual([true, false])
  })

  test('what is about an image that stays, and what is about that; with it they go', async () => {
    const image = await registry.pushImage('web', '1', 'layer')
    const about = (digest: string): object => ({ subject: { mediaType: imageType, digest, size: 1 } })
    const contents = await registry.pushImage('web', undefined, 'list of contents', about(image.digest))
    const signature = await registry.pushImage('web', undefined, 'its signature', about(contents.digest))
    await clock.advance(10 * untaggedMs)
    await prune()
    expect([await has('web', contents), await has('web', signature)]).toEqual([true, true])
    await registry.status('DELETE', 'web/manifests/1')
    await clock.advance(10 * untaggedMs)
    await prune()
    expect([await has('web', image), await has('web', contents), await has('web', signature)]).toEqual([
      false,
      false,
      false,
    ])
    expect(blobFiles()).toEqual([])
  })

  test('a layer that another image has too', async () => {
    const kept = await registry.pushImage('web', '1', ['shared', 'own'])
    await untagged('shared')
    await untagged('shared', 'elsewhere')
    await clock.advance(10 * untaggedMs)
    expect((await prune()).images).toHaveLength(2)
    expect(await has('web', kept)).toBe(true)
    expect(await registry.status('GET', `elsewhere/blobs/${digestOf('shared')}`)).toBe(404)
  })

  test('everything, while the cluster cannot tell what it uses', async () => {
    const image = await untagged('layer')
    await clock.advance(10 * untaggedMs)
    inUse = () => Promise.reject(new Error('the store is out of reach'))
    expect(await registry.status('POST', '_sampan/prune')).toBe(500)
    expect(await has('web', image)).toBe(true)
  })
})

describe('a push under way', () => {
  test('its blobs wait for their manifest', async () => {
    await registry.pushBlob('web', 'layer')
    await clock.advance(graceMs - 1)
    expect((await prune()).blobs).toBe(0)
    await clock.advance(1)
    expect(await prune()).toEqual({ images: [], blobs: 1, uploads: 0, bytes: 5, youngBytes: 0 })
  })

  test.each(['HEAD of a blob', 'a mounted blob', 'the blob pushed again', 'HEAD of a manifest'])(
    '%s counts as touched: the client relies on it',
    async what => {
      const image = await untagged('old')
      await clock.advance(10 * untaggedMs)
      const path = `web/blobs/${image.layers[0]}`
      if (what === 'HEAD of a blob') expect(await registry.status('HEAD', path)).toBe(200)
      if (what === 'a mounted blob')
        expect(await registry.status('POST', `web/blobs/uploads/?mount=${image.layers[0]}&from=web`)).toBe(201)
      if (what === 'the blob pushed again') await registry.pushBlob('web', 'old')
      if (what === 'HEAD of a manifest')
        expect(await registry.status('HEAD', `web/manifests/${image.digest}`)).toBe(200)
      await prune()
      const isManifest = what === 'HEAD of a manifest'
      expect(await registry.status('HEAD', isManifest ? `web/manifests/${image.digest}` : path)).toBe(200)
    },
  )

  test('what was touched is remembered over a restart', async () => {
    const { layers } = await untagged('old')
    await clock.advance(10 * untaggedMs)
    expect(await registry.status('HEAD', `web/blobs/${layers[0]}`)).toBe(200)
    await registry.restart()
    await prune()
    expect(blobFiles()).toContain(layers[0]!.slice('sha256:'.length))
  })

  test('an upload waits a day for whoever broke it off', async () => {
    const location = await registry.startUpload('web')
    await registry.call('PATCH', location, 'half')
    await clock.advance(uploadMs - 60_000)
    expect((await prune()).uploads).toBe(0)
    await clock.advance(120_000)
    expect(await prune()).toEqual({ images: [], blobs: 0, uploads: 1, bytes: 4, youngBytes: 0 })
    expect(await registry.status('GET', location)).toBe(404)
  })
})

describe('when', () => {
  beforeEach(async () => {
    await registry.close()
    registry = await RegistryFixture.start({ clock, inUse: () => inUse() })
  })

  test('an image that lost its tag and that nobody asks for goes by itself after a week', async () => {
    const image = await untagged('layer')
    const days = async (count: number): Promise<void> => {
      for (let day = 0; day < count; day++) {
        await clock.advance(24 * 3_600_000)
        await settled()
      }
    }
    await days(6)
    const file = image.digest.slice('sha256:'.length)
    expect(blobFiles()).toContain(file)
    await days(2)
    expect(blobFiles()).not.toContain(file)
  })

  test('how much goes only later is told, beside what never does', async () => {
    await registry.pushImage('web', '1', ['shared', 'own'])
    await untagged('alone')
    await registry.pushBlob('web', 'loose')
    const { bytes, youngBytes } = await prune()
    expect(bytes).toBe(0)
    expect(youngBytes).toBeGreaterThan('alone'.length + 'loose'.length)
    await clock.advance(graceMs)
    expect(await prune()).toMatchObject({ bytes: youngBytes, youngBytes: 0 })
  })

  test('when somebody asks, after an hour', async () => {
    const image = await untagged('layer')
    await clock.advance(graceMs - 1)
    expect((await prune()).images).toEqual([])
    await clock.advance(1)
    expect((await prune()).images).toEqual([`web@${image.digest}`])
    expect(blobFiles()).toEqual([])
  })

  test('after a start', async () => {
    const image = await untagged('layer')
    await registry.registry.close()
    await clock.advance(10 * untaggedMs)
    const again = await RegistryFixture.start({ directory: registry.directory, clock })
    await clock.advance(60_000)
    await again.call('POST', '_sampan/prune?dryRun=true')
    expect(blobFiles()).not.toContain(image.digest.slice('sha256:'.length))
    await again.close()
  })

  test('a dry run says the same and removes nothing', async () => {
    const image = await untagged('layer')
    await clock.advance(graceMs)
    const planned = await prune('?dryRun=true')
    expect(planned).toMatchObject({ images: [`web@${image.digest}`], blobs: 3 })
    expect(await has('web', image)).toBe(true)
    await clock.advance(graceMs)
    expect(await prune()).toEqual(planned)
  })

  /** What was begun before is over: collections come one after the other. */
  const settled = (): Promise<Collected> => prune('?dryRun=true')
})

test('pull, push and delete are all there is to others: nobody prunes from elsewhere', async () => {
  expect(await registry.status('GET', '_sampan/prune')).toBe(405)
  expect(await registry.status('POST', '_sampan/prune?dryRun=maybe')).toBe(400)
  expect(await registry.status('POST', '_sampan/other')).toBe(404)
})

test('needed are the roots and nothing but what can be reached from them', () => {
  const digest = fc.integer({ min: 0, max: 12 }).map(String)
  const manifests = fc.uniqueArray(
    fc.record({
      digest,
      isRoot: fc.boolean(),
      names: fc.array(digest, { maxLength: 3 }),
      subject: fc.option(digest, { nil: undefined }),
    }),
    { selector: manifest => manifest.digest },
  )
  fc.assert(
    fc.property(manifests, all => {
      const needed = neededManifests(all)
      const isReached = ({ digest: own, isRoot, subject }: MarkedManifest): boolean =>
        isRoot ||
        (subject !== undefined && needed.has(subject)) ||
        all.some(other => needed.has(other.digest) && other.names.includes(own))
      for (const manifest of all) {
        // A circle that hangs on nothing is not needed, and is not reached either.
        if (needed.has(manifest.digest)) expect(isReached(manifest)).toBe(true)
        else expect(isReached(manifest)).toBe(false)
      }
    }),
  )
})
