// A client that does anything in any order, against a model of what a registry is; requests that are nonsense, which are
// answered and never a fault of the registry; and many clients at once, with deletions and collections between.
import { deepStrictEqual, strictEqual } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { FakeClock } from '../../testing/fake-clock.ts'
import { imageType, indexType, RegistryFixture } from '../../testing/registry-fixture.ts'
import { faultsOf } from '../../testing/whole-registry.ts'
import { neededManifests } from './collection/needed-manifests.ts'
import { digestOf } from './digest.ts'

const repositories = ['a', 'a/b', 'c'] as const
const contents = ['{}', 'layer one', 'layer two'] as const
const tags = ['latest', 'v1'] as const

interface KnownManifest {
  readonly text: string
  readonly type: string
  /** Indexes of contents. */
  readonly blobs: readonly number[]
  /** Digests. */
  readonly children: readonly string[]
  readonly subject?: string
}

const image = (blobs: readonly number[], subject?: string): KnownManifest => {
  const [config, ...layers] = blobs.map(index => ({
    digest: digestOf(contents[index]!),
    size: contents[index]!.length,
  }))
  const about = subject === undefined ? {} : { subject: { mediaType: imageType, digest: subject, size: 1 } }
  const text = JSON.stringify({ schemaVersion: 2, mediaType: imageType, config, layers, ...about })
  return { text, type: imageType, blobs, children: [], ...(subject !== undefined && { subject }) }
}
const plain = image([0, 1])
const other = image([0, 1, 2])
const signature = image([0], digestOf(plain.text))
const index: KnownManifest = {
  text: JSON.stringify({
    schemaVersion: 2,
    mediaType: indexType,
    manifests: [{ mediaType: imageType, digest: digestOf(plain.text), size: plain.text.length }],
  }),
  type: indexType,
  blobs: [],
  children: [digestOf(plain.text)],
}
const manifests = [plain, other, signature, index] as const

interface RepositoryModel {
  readonly blobs: Set<number>
  readonly manifests: Map<string, KnownManifest>
  readonly tags: Map<string, string>
  isKnown: boolean
}
type Model = Record<string, RepositoryModel>

const newModel = (): Model =>
  Object.fromEntries(
    repositories.map(name => [name, { blobs: new Set(), manifests: new Map(), tags: new Map(), isKnown: false }]),
  )

type Step = (registry: RegistryFixture, model: Model, clock: FakeClock) => Promise<void>

const repository = fc.constantFrom(...repositories)
const content = fc.nat({ max: contents.length - 1 })
const manifest = fc.constantFrom(...manifests)
const tag = fc.constantFrom(...tags)
/** A tag, or a digest. */
const reference = fc.option(tag, { nil: undefined })

const digestOfContent = (at: number): string => digestOf(contents[at]!)

const pushBlob = fc
  .record({ name: repository, at: content, cut: fc.nat({ max: 9 }) })
  .map(({ name, at, cut }): Step => async (registry, model) => {
    const location = await registry.startUpload(name)
    const [bytes, digest] = [contents[at]!, digestOfContent(at)]
    const start = Math.min(cut, bytes.length)
    if (start > 0) strictEqual(await registry.status('PATCH', location, bytes.slice(0, start)), 202)
    strictEqual(await registry.status('PUT', `${location}?digest=${digest}`, bytes.slice(start)), 201)
    model[name]!.blobs.add(at)
  })
const pushWrongBlob = fc.record({ name: repository, at: content }).map(({ name, at }): Step => async registry => {
  const path = `${name}/blobs/uploads/?digest=${digestOfContent(at)}`
  strictEqual(await registry.status('POST', path, `${contents[at]} and more`), 400)
})
const mount = fc
  .record({ name: repository, from: fc.option(repository), at: content })
  .map(({ name, from, at }): Step => async (registry, model) => {
    const path = `${name}/blobs/uploads/?mount=${digestOfContent(at)}${from === null ? '' : `&from=${from}`}`
    const sources = from === null ? repositories : [from]
    const isThere = sources.some(source => model[source]!.blobs.has(at))
    strictEqual(await registry.status('POST', path), isThere ? 201 : 202)
    if (isThere) model[name]!.blobs.add(at)
  })
const readBlob = fc
  .record({ name: repository, at: content, method: fc.constantFrom('GET', 'HEAD') })
  .map(({ name, at, method }): Step => async (registry, model) => {
    const response = await registry.call(method, `${name}/blobs/${digestOfContent(at)}`)
    const body = await response.text()
    strictEqual(response.status, model[name]!.blobs.has(at) ? 200 : 404)
    if (response.status === 200 && method === 'GET') strictEqual(body, contents[at])
  })
const deleteBlob = fc.record({ name: repository, at: content }).map(({ name, at }): Step => async (registry, model) => {
  const known = model[name]!.blobs.delete(at)
  strictEqual(await registry.status('DELETE', `${name}/blobs/${digestOfContent(at)}`), known ? 202 : 404)
})
const pushManifest = fc
  .record({ name: repository, what: manifest, as: reference })
  .map(({ name, what, as }): Step => async (registry, model) => {
    const known = model[name]!
    const isWhole =
      what.blobs.every(at => known.blobs.has(at)) && what.children.every(child => known.manifests.has(child))
    const digest = digestOf(what.text)
    strictEqual(await registry.status('PUT', `${name}/manifests/${as ?? digest}`, what.text), isWhole ? 201 : 404)
    if (!isWhole) return
    known.isKnown = true
    known.manifests.set(digest, what)
    if (as !== undefined) known.tags.set(as, digest)
  })
const readManifest = fc
  .record({ name: repository, what: manifest, as: reference })
  .map(({ name, what, as }): Step => async (registry, model) => {
    const known = model[name]!
    const digest = as === undefined ? digestOf(what.text) : known.tags.get(as)
    const expected = digest === undefined ? undefined : known.manifests.get(digest)
    const response = await registry.call('GET', `${name}/manifests/${as ?? digest}`)
    const body = await response.text()
    strictEqual(response.status, expected === undefined ? 404 : 200)
    if (expected === undefined) return
    deepStrictEqual([body, response.headers.get('content-type')], [expected.text, expected.type])
  })
const deleteManifest = fc
  .record({ name: repository, what: manifest, as: reference })
  .map(({ name, what, as }): Step => async (registry, model) => {
    const known = model[name]!
    const digest = digestOf(what.text)
    const isThere = as === undefined ? known.manifests.delete(digest) : known.tags.delete(as)
    if (as === undefined) for (const [one, named] of known.tags) if (named === digest) known.tags.delete(one)
    strictEqual(await registry.status('DELETE', `${name}/manifests/${as ?? digest}`), isThere ? 202 : 404)
  })
const list = repository.map((name): Step => async (registry, model) => {
  const known = model[name]!
  const response = await registry.call('GET', `${name}/tags/list`)
  const { tags: found } = (await response.json()) as { tags?: string[] }
  strictEqual(response.status, known.isKnown ? 200 : 404)
  if (known.isKnown) deepStrictEqual(found, [...known.tags.keys()].sort())
  const subject = digestOf(plain.text)
  const { manifests: about } = await registry.json<{ manifests: { digest: string }[] }>(`${name}/referrers/${subject}`)
  const expected = [...known.manifests].filter(([, { subject: of }]) => of === subject).map(([digest]) => digest)
  deepStrictEqual(
    about.map(({ digest }) => digest),
    expected.sort(),
  )
})
const collect = fc.boolean().map((isLater): Step => async (registry, model, clock) => {
  if (isLater) await clock.advance(2 * 3_600_000)
  const response = await registry.call('POST', '_sampan/prune')
  strictEqual(response.status, 200)
  await response.arrayBuffer()
  if (isLater) for (const name of repositories) collectModel(model[name]!)
})

/** Nothing was touched lately, so what counts are the tags. */
function collectModel(known: RepositoryModel): void {
  const tagged = new Set(known.tags.values())
  const needed = neededManifests(
    [...known.manifests].map(([digest, { children, subject }]) => ({
      digest,
      isRoot: tagged.has(digest),
      names: children,
      subject,
    })),
  )
  for (const digest of known.manifests.keys()) if (!needed.has(digest)) known.manifests.delete(digest)
  const named = new Set([...known.manifests.values()].flatMap(({ blobs }) => blobs))
  for (const at of known.blobs) if (!named.has(at)) known.blobs.delete(at)
}

describe('a client that does anything', () => {
  let clock: FakeClock
  let registry: RegistryFixture
  const start = async (): Promise<void> => {
    clock = new FakeClock(Date.now())
    registry = await RegistryFixture.start({ clock })
  }
  beforeEach(start)
  afterEach(() => registry.close())

  test('finds what a registry should have', { timeout: 120_000 }, async () => {
    // What changes something is likelier, or most of it would ask for what is not there.
    const step = fc.oneof(
      { weight: 5, arbitrary: pushBlob },
      { weight: 6, arbitrary: pushManifest },
      { weight: 2, arbitrary: mount },
      ...[pushWrongBlob, readBlob, deleteBlob, readManifest, deleteManifest, list, collect].map(arbitrary => ({
        weight: 1,
        arbitrary,
      })),
    )
    await fc.assert(
      fc
        .asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), fc.boolean(), async (steps, withRestart) => {
          const model = newModel()
          for (const [at, act] of steps.entries()) {
            await act(registry, model, clock)
            if (withRestart && at === Math.floor(steps.length / 2)) await registry.restart()
          }
          for (const name of repositories)
            for (const [digest, { text: expected }] of model[name]!.manifests)
              expect(String(await registry.bytes(`${name}/manifests/${digest}`))).toBe(expected)
        })
        .afterEach(async () => {
          await registry.close()
          await start()
        }),
      { numRuns: 30 },
    )
  })
})

describe('nonsense', () => {
  let registry: RegistryFixture
  beforeAll(async () => {
    registry = await RegistryFixture.start()
    await registry.pushImage('web', '1', 'layer')
  })
  afterAll(() => registry.close())

  const send = (
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string,
  ): Promise<{ status: number; body: string }> =>
    new Promise((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port: registry.port, method, path, headers }, response => {
        text(response).then(said => resolve({ status: response.statusCode ?? 0, body: said }), reject)
      })
      outgoing.once('error', reject)
      outgoing.end(body)
    })

  const segment = fc.oneof(
    fc.constantFrom('web', 'blobs', 'uploads', 'manifests', 'tags', 'list', 'referrers', '_catalog', '_sampan', '..'),
    fc.constantFrom('%2F', '%', '%zz', '%00', '.', '+', '__', 'a__b', 'sha256:', `sha256:${'0'.repeat(64)}`, '1'),
    fc.constantFrom(digestOf('layer'), 'x'.repeat(300), `${'a_'.repeat(60)}!`, '__proto__', 'constructor'),
    fc.webSegment(),
  )
  const path = fc
    .tuple(fc.array(segment, { maxLength: 6 }), fc.option(fc.webQueryParameters(), { nil: '' }))
    .map(([segments, query]) => `/v2/${segments.join('/')}${query === '' ? '' : `?${query}`}`)
  const query = fc.constantFrom(
    '',
    '?n=1',
    '?n=-',
    '?last=%zz',
    '?digest=',
    '?mount=x&from=..',
    '?ns=',
    '?artifactType=',
  )
  const known = fc.constantFrom(
    '/v2/web/manifests/1',
    `/v2/web/manifests/${digestOf('{}')}`,
    `/v2/web/blobs/${digestOf('layer')}`,
    '/v2/web/blobs/uploads/',
    '/v2/web/tags/list',
    `/v2/web/referrers/${digestOf('x')}`,
  )
  const headers = fc.record(
    {
      Range: fc.constantFrom(
        'bytes=1-2',
        'bytes=',
        'bytes=-',
        'bytes=9-1',
        'bytes=0-0,2-3',
        'bytes=99999999999999999999-',
        'x',
      ),
      'Content-Range': fc.constantFrom('0-', '-', '5-1', '0-99999999999999999999', 'bytes 0-1/2', 'x', '0-0'),
      'Content-Type': fc.constantFrom('', 'x', imageType, `${indexType}; a=b`, 'application/json'),
      Authorization: fc.constantFrom('', 'Basic', 'Basic !!!', 'Bearer x', 'Basic eDp5'),
      'If-None-Match': fc.constantFrom('*', '""', `"${digestOf('layer')}"`),
      Accept: fc.constantFrom('*/*', 'nothing'),
    },
    { requiredKeys: [] },
  )
  const body = fc.oneof(
    fc.constantFrom('', 'null', '[]', '5', '{}', '{"layers":5}', '{"layers":[5,null,{}]}', '{"manifests":[null]}'),
    fc.constantFrom('{"config":7}', '{"mediaType":7}', '{"mediaType":"\\n"}', '{"subject":7}', '{"subject":{}}'),
    fc.constantFrom('{"schemaVersion":1}', '{"annotations":7,"artifactType":[]}', plain.text, '{"__proto__":{}}'),
    fc.json(),
    fc.string(),
  )

  test('is answered, and never with a fault of the registry', { timeout: 120_000 }, async () => {
    const statuses = new Map<number, number>()
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'),
        fc.oneof(
          path,
          fc.tuple(known, query).map(parts => parts.join('')),
        ),
        headers,
        body,
        async (method, at, sent, said) => {
          // Deleting is possible, and what is looked for below would be gone.
          if (method === 'DELETE' && at.includes('web/')) return
          const answer = await send(method, at.replaceAll(/[^\x21-\x7e]/g, ''), sent, said)
          expect(answer.status).toBeLessThan(500)
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
          if (answer.status < 400 || answer.body === '') return
          const { errors } = JSON.parse(answer.body) as { errors: { code: string; message: string }[] }
          expect(errors[0]!.code).toMatch(/^[A-Z_]+$/)
          expect(errors[0]!.message).not.toBe('')
        },
      ),
      { numRuns: 1500 },
    )
    // All kinds of answers were among them.
    for (const status of [200, 202, 400, 404, 405]) expect([...statuses.keys()]).toContain(status)
    expect(await faultsOf(registry)).toEqual([])
    expect(await registry.status('GET', 'web/manifests/1')).toBe(200)
  })
})

test(
  '50 clients push and pull shared layers, delete and collect, and none sees anything broken',
  { timeout: 120_000 },
  async () => {
    const registry = await RegistryFixture.start()
    const layers = Array.from({ length: 8 }, () => randomBytes(50_000))
    const failures: string[] = []
    async function client(number: number): Promise<void> {
      const name = `shared/r${number % 5}`
      for (let round = 0; round < 3; round++) {
        const own = [layers[(number + round) % 8]!, layers[(number * 3 + round) % 8]!]
        const version = `v${number}-${round}`
        const { digest } = await registry.pushImage(name, version, own, { annotations: { version } })
        const pulled = await registry.call('GET', `${name}/manifests/${digest}`)
        if (digestOf(Buffer.from(await pulled.arrayBuffer())) !== digest) failures.push(`${name}:${version}`)
        for (const layer of own)
          if (!(await registry.bytes(`${name}/blobs/${digestOf(layer)}`)).equals(layer)) failures.push(digestOf(layer))
        if (number % 3 === 0) await registry.status('DELETE', `${name}/manifests/${round % 2 === 0 ? version : digest}`)
        if (number % 10 === 0) expect(await registry.status('POST', '_sampan/prune')).toBe(200)
      }
    }
    await Promise.all(Array.from({ length: 50 }, (_unused, number) => client(number)))
    expect(failures).toEqual([])
    expect(await faultsOf(registry)).toEqual([])
    const { tags: left } = await registry.json<{ tags: string[] }>('shared/r0/tags/list')
    // Ten clients of this repository with three images each; every third client deletes his.
    const deleting = [0, 15, 30, 45].length
    expect(left).toHaveLength((10 - deleting) * 3)
    await registry.close()
  },
)
