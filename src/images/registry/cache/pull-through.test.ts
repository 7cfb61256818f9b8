// Images of a registry elsewhere through the cache of the machine.
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../../../lib/logger.ts'
import { eventually } from '../../../testing/eventually.ts'
import { FakeClock } from '../../../testing/fake-clock.ts'
import { ForeignRegistry, goodPassword } from '../../../testing/foreign-registry.ts'
import { codeOf, RegistryFixture, type PushedImage } from '../../../testing/registry-fixture.ts'
import { digestOf } from '../digest.ts'
import { CacheStore } from './cache-store.ts'
import { HttpUpstream } from './http-upstream.ts'
import { startPullThrough, type PullThrough } from './pull-through.ts'

let directory: string
let clock: FakeClock
let foreign: ForeignRegistry
let clusters: { registry: RegistryFixture; cache: PullThrough; upstream: HttpUpstream }[]
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sampan-cache-'))
  clock = new FakeClock(Date.now())
  foreign = await ForeignRegistry.start()
  clusters = []
})
afterEach(async () => {
  for (const { registry, cache, upstream } of clusters) {
    await registry.close()
    await cache.stop()
    upstream.close()
  }
  await foreign.close()
  rmSync(directory, { recursive: true })
})

/** A cluster of the machine, with its own registry, as containerd asks it for images of others. */
async function cluster(): Promise<
  (path: string, headers?: Record<string, string>, method?: string) => Promise<Response>
> {
  const upstream = new HttpUpstream(clock)
  const cache = await startPullThrough({ directory, upstream, clock, logger: silentLogger })
  const registry = await RegistryFixture.start({ foreign: (namespace, exchange) => cache.serve(namespace, exchange) })
  clusters.push({ registry, cache, upstream })
  return (path, headers = {}, method = 'GET') =>
    registry.call(method, `${path}?ns=${encodeURIComponent(foreign.name)}`, undefined, headers)
}
const me = { Authorization: goodPassword }
const bytes = async (response: Promise<Response> | Response): Promise<Buffer> =>
  Buffer.from(await (await response).arrayBuffer())
const image = (repository: string, tag: string, size = 100_000): Promise<PushedImage> =>
  foreign.inside.pushImage(repository, tag, [randomBytes(size)])
const blobs = (): string[] => readdirSync(join(directory, 'blobs', 'sha256'))
const downloads = (): string[] => readdirSync(join(directory, 'downloads'))
/** How often something was asked for since the last look. */
function asked(method: string, what: string): number {
  return foreign.asked.filter(line => line.startsWith(`${method} ${what}`)).length
}

describe('an image of another registry', () => {
  test('is fetched once for all clusters of the machine', async () => {
    const { digest, manifest, config, layers } = await image('library/web', '1')
    for (const pull of [await cluster(), await cluster()]) {
      const head = await pull('library/web/manifests/1', {}, 'HEAD')
      expect([head.status, head.headers.get('docker-content-digest')]).toEqual([200, digest])
      expect(head.headers.get('oci-namespace')).toBe(foreign.name)
      expect(String(await bytes(pull(`library/web/manifests/${digest}`)))).toBe(manifest)
      for (const blob of [config, layers[0]!])
        expect(digestOf(await bytes(pull(`library/web/blobs/${blob}`)))).toBe(blob)
    }
    expect([asked('GET', 'manifests'), asked('GET', 'blobs'), asked('HEAD', 'manifests/1')]).toEqual([1, 2, 2])
  })

  test('has the tag that it has now', async () => {
    const pull = await cluster()
    await image('web', 'latest')
    await pull('web/manifests/latest')
    const { digest, manifest } = await image('web', 'latest')
    const moved = await pull('web/manifests/latest')
    expect([moved.headers.get('docker-content-digest'), await moved.text()]).toEqual([digest, manifest])
  })

  test('is served while its registry is away, in every cluster; another one is told to be away', async () => {
    const { digest, manifest, layers } = await image('web', '1')
    const pull = await cluster()
    for (const path of ['web/manifests/1', `web/manifests/${digest}`, `web/blobs/${layers[0]}`]) await bytes(pull(path))
    await foreign.goAway()
    for (const again of [pull, await cluster()]) {
      expect(await (await again('web/manifests/1')).text()).toBe(manifest)
      expect(await (await again(`web/manifests/${digest}`)).text()).toBe(manifest)
      expect(digestOf(await bytes(again(`web/blobs/${layers[0]}`)))).toBe(layers[0])
      const unknown = await again('web/manifests/2')
      expect([unknown.status, await unknown.text()]).toEqual([404, expect.stringContaining('is away')])
    }
  })

  test.each([
    ['web/manifests/2', 404],
    [`web/blobs/${digestOf('none')}`, 404],
    ['web/tags/list', 404],
    ['web/manifests/.bad', 400],
    ['web/blobs/sha256:bad', 400],
  ])('that is not there: %s answers %i', async (path, status) => {
    await image('web', '1')
    expect((await (await cluster())(path)).status).toBe(status)
  })

  test('is read only, and of a registry with a name', async () => {
    const pull = await cluster()
    expect((await pull('web/manifests/1', {}, 'DELETE')).status).toBe(405)
    const strange = await clusters[0]!.registry.call('GET', 'web/manifests/1?ns=..%2F..%2Fetc')
    expect([strange.status, await codeOf(strange)]).toEqual([400, 'NAME_INVALID'])
  })
})

describe('a layer', () => {
  test('that many ask for at once is fetched once, in one cluster and in several', async () => {
    const { layers } = await image('web', '1', 3_000_000)
    const gate = Promise.withResolvers<void>()
    foreign.gate = gate.promise
    const pulls = [await cluster(), await cluster()].flatMap(pull => [pull, pull, pull])
    const all = pulls.map(pull => bytes(pull(`web/blobs/${layers[0]}`)))
    await eventually('it is asked for', () => asked('GET', 'blobs') > 0)
    gate.resolve()
    for (const received of await Promise.all(all)) expect(digestOf(received)).toBe(layers[0])
    expect(asked('GET', 'blobs')).toBe(1)
  })

  test('goes on where its connection broke', async () => {
    const { layers } = await image('web', '1', 3_000_000)
    foreign.breakAfter.push(1_000_000, 1_000_000)
    const pull = await cluster()
    expect(digestOf(await bytes(pull(`web/blobs/${layers[0]}`)))).toBe(layers[0])
    const [first, second, third] = foreign.asked.filter(line => line.startsWith('GET blobs'))
    expect(first).toBe(`GET blobs/${layers[0]}`)
    for (const resumed of [second, third]) expect(resumed).toMatch(/ bytes=\d{4,}-$/)
  })

  test('that breaks off again and again goes on when it is asked for again', async () => {
    const { layers } = await image('web', '1', 3_000_000)
    foreign.breakAfter.push(500_000, 100_000, 100_000, 100_000, 100_000)
    const path = `web/blobs/${layers[0]}`
    await expect((async () => bytes((await cluster())(path)))()).rejects.toThrow('terminated')
    await eventually('it is given up', () => downloads().length === 1)
    expect(blobs()).not.toContain(layers[0]!.slice('sha256:'.length))
    foreign.asked.length = 0
    expect(digestOf(await bytes((await cluster())(path)))).toBe(layers[0])
    expect(foreign.asked).toEqual([expect.stringMatching(/ bytes=\d{6,}-$/)])
    expect(downloads()).toEqual([])
  })

  test('that is not what its digest says is never given whole, and not kept', async () => {
    const { layers } = await image('web', '1')
    foreign.forgery = randomBytes(100_000)
    const pull = await cluster()
    await expect((async () => bytes(pull(`web/blobs/${layers[0]}`)))()).rejects.toThrow('terminated')
    expect([blobs(), downloads()]).toEqual([[], []])
    foreign.forgery = undefined
    expect(digestOf(await bytes(pull(`web/blobs/${layers[0]}`)))).toBe(layers[0])
  })

  test.each(['while it is fetched', 'when it is there'])('in parts, %s', async when => {
    const content = randomBytes(300_000)
    await foreign.inside.pushBlob('web', content)
    const pull = await cluster()
    const path = `web/blobs/${digestOf(content)}`
    if (when === 'when it is there') await bytes(pull(path))
    for (const [range, start, end] of [
      ['bytes=100000-', 100_000, 300_000],
      ['bytes=5-9', 5, 10],
    ] as const) {
      const response = await pull(path, { Range: range })
      expect(response.status).toBe(206)
      expect((await bytes(response)).equals(content.subarray(start, end))).toBe(true)
    }
  })
})

describe('a private image', () => {
  const paths = ({ digest, layers }: PushedImage): string[] => [
    'private/web/manifests/1',
    `private/web/manifests/${digest}`,
    `private/web/blobs/${layers[0]}`,
  ]

  test('is given for its password alone, also when it is kept already', async () => {
    const all = paths(await image('private/web', '1'))
    const pull = await cluster()
    for (const isKept of [false, true])
      for (const path of all) {
        const nobody = await pull(path)
        expect([nobody.status, nobody.headers.get('www-authenticate')]).toEqual([401, `Basic realm="${foreign.name}"`])
        const other = await pull(path, { Authorization: `Basic ${Buffer.from('me:guess').toString('base64')}` })
        expect([other.status, await codeOf(other)]).toEqual([404, 'MANIFEST_UNKNOWN'])
        expect((await pull(path, me)).status, `${path}, kept: ${isKept}`).toBe(200)
      }
    expect(asked('GET', 'manifests/')).toBeLessThan(10)
  })

  test('its layers are fetched once, however many have the password', async () => {
    const { layers } = await image('private/web', '1')
    for (const pull of [await cluster(), await cluster()])
      expect(digestOf(await bytes(pull(`private/web/blobs/${layers[0]}`, me)))).toBe(layers[0])
    // The first was asked for without a token and with one.
    expect(asked('GET', 'blobs')).toBe(2)
  })

  test('is given to nobody while its registry is away', async () => {
    const all = paths(await image('private/web', '1'))
    const pull = await cluster()
    for (const path of all) expect((await pull(path, me)).status).toBe(200)
    await foreign.goAway()
    await clock.advance(60_000)
    for (const path of all) for (const headers of [{}, me]) expect((await pull(path, headers)).status).toBe(404)
  })

  test('cannot be had by its digest through a repository that anybody reads', async () => {
    const { digest, layers } = await image('private/web', '1')
    await image('public/web', '1')
    const pull = await cluster()
    await bytes(pull(`private/web/blobs/${layers[0]}`, me))
    await bytes(pull(`private/web/manifests/${digest}`, me))
    expect((await pull(`public/web/blobs/${layers[0]}`)).status).toBe(404)
    expect((await pull(`public/web/manifests/${digest}`)).status).toBe(404)
  })

  test('that becomes public is given to all', async () => {
    const { layers } = await image('private/web', '1')
    const content = await foreign.inside.bytes(`private/web/blobs/${layers[0]}`)
    const pull = await cluster()
    await bytes(pull(`private/web/blobs/${layers[0]}`, me))
    await foreign.inside.pushBlob('public/web', content)
    expect((await pull(`public/web/blobs/${layers[0]}`)).status).toBe(200)
    await foreign.goAway()
    expect((await pull(`public/web/blobs/${layers[0]}`)).status).toBe(200)
  })
})

describe('what is kept', () => {
  const unusedMs = 30 * 24 * 3_600_000

  test('goes when nobody asked for it in a month, and the oldest first when it is too much', async () => {
    const [old, less, fresh] = [await image('web', '1'), await image('web', '2'), await image('web', '3')]
    const pull = await cluster()
    for (const { layers } of [old, less, fresh]) await bytes(pull(`web/blobs/${layers[0]}`))
    const age = ({ layers }: PushedImage, days: number): void => {
      const at = clock.now() / 1000 - days * 24 * 3600
      utimesSync(join(directory, 'blobs', 'sha256', layers[0]!.slice('sha256:'.length)), at, at)
    }
    age(old, 31)
    age(less, 10)
    age(fresh, 5)
    // Of another process, which did not touch them itself.
    const store = new CacheStore(directory, clock)
    expect(await store.limit({ unusedMs, maximumBytes: 1e9 })).toBe(100_000)
    expect(await store.limit({ unusedMs, maximumBytes: 150_000 })).toBe(100_000)
    expect(blobs()).toEqual([fresh.layers[0]!.slice('sha256:'.length)])
    expect(digestOf(await bytes(pull(`web/blobs/${old.layers[0]}`)))).toBe(old.layers[0])
  })

  test('a download that nobody goes on with goes after a day', async () => {
    const { layers } = await image('web', '1', 1_000_000)
    foreign.breakAfter.push(100_000, 1000, 1000, 1000, 1000)
    const pull = await cluster()
    await expect((async () => bytes(pull(`web/blobs/${layers[0]}`)))()).rejects.toThrow('terminated')
    const store = new CacheStore(directory, clock)
    await store.limit({ unusedMs, maximumBytes: 1e9 })
    expect(downloads()).toHaveLength(1)
    await clock.advance(25 * 3_600_000)
    await store.limit({ unusedMs, maximumBytes: 1e9 })
    expect(downloads()).toEqual([])
  })
})

test.skipIf(process.getuid?.() !== 0)(
  'what the disk has no room for is given as it comes, and not kept (root alone mounts one)',
  async () => {
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', directory]).status).toBe(0)
    try {
      const large = await image('team/large', '1', 6_000_000)
      const small = await image('team/small', '1')
      const call = await cluster()
      const layer = await bytes(call(`team/large/blobs/${large.layers[0]}`))
      expect([layer.length, digestOf(layer)]).toEqual([6_000_000, large.layers[0]])
      expect(downloads()).toEqual([])
      expect(digestOf(await bytes(call(`team/small/blobs/${small.layers[0]}`)))).toBe(small.layers[0])
      await eventually('the small one is kept', () => blobs().length === 1)
    } finally {
      spawnSync('umount', ['--lazy', directory])
    }
  },
)
