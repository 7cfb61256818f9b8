// What the OCI distribution specification 1.1 demands of a registry, and what the project's own conformance suite looks
// for, each under the specification's name for it. What is optional there and has a test here is what this registry does.
import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codeOf, imageType, indexType, RegistryFixture } from '../../testing/registry-fixture.ts'
import { digestOf, type Algorithm } from './digest.ts'

let registry: RegistryFixture
beforeAll(async () => {
  registry = await RegistryFixture.start()
})
afterAll(() => registry.close())
const call: RegistryFixture['call'] = (...request) => registry.call(...request)

const octets = { 'Content-Type': 'application/octet-stream' }
const header = (response: Response, name: string): string | null => response.headers.get(name)
/** Each test works in a repository of its own. */
let repositories = 0
const ownRepository = (): string => `conformance/r${repositories++}`

const emptyConfig = '{}'
const artifactOf = (fields: object): object => ({
  schemaVersion: 2,
  mediaType: imageType,
  config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(emptyConfig), size: 2 },
  layers: [],
  ...fields,
})
const indexOf = (manifests: readonly string[], fields: object = {}): object => ({
  schemaVersion: 2,
  mediaType: indexType,
  manifests: manifests.map(digest => ({ mediaType: imageType, digest, size: 1 })),
  ...fields,
})

describe('Determining Support', () => {
  test('end-1: GET /v2/ answers 200', async () => {
    expect((await call('GET', '/v2/')).status).toBe(200)
  })
})

describe.each<Algorithm>(['sha256', 'sha512'])('blobs with %s', algorithm => {
  const content = (): Buffer => randomBytes(3000)
  const named = (bytes: Buffer): string => digestOf(bytes, algorithm)

  test('end-2: GET of a blob answers 200, its bytes and Docker-Content-Digest', async () => {
    const [repository, bytes] = [ownRepository(), content()]
    await registry.pushBlob(repository, bytes, named(bytes))
    const response = await call('GET', `${repository}/blobs/${named(bytes)}`)
    expect([response.status, header(response, 'docker-content-digest')]).toEqual([200, named(bytes)])
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true)
  })

  test('end-2: HEAD of a blob answers 200, Content-Length and no body', async () => {
    const [repository, bytes] = [ownRepository(), content()]
    await registry.pushBlob(repository, bytes, named(bytes))
    const response = await call('HEAD', `${repository}/blobs/${named(bytes)}`)
    expect([response.status, header(response, 'content-length'), await response.text()]).toEqual([200, '3000', ''])
    expect(header(response, 'docker-content-digest')).toBe(named(bytes))
  })

  test('end-2: GET and HEAD of a blob that is not in the repository answer 404', async () => {
    const [repository, bytes] = [ownRepository(), content()]
    await registry.pushBlob(ownRepository(), bytes, named(bytes))
    const response = await call('GET', `${repository}/blobs/${named(bytes)}`)
    expect([response.status, await codeOf(response)]).toEqual([404, 'BLOB_UNKNOWN'])
    expect(await registry.status('HEAD', `${repository}/blobs/${named(bytes)}`)).toBe(404)
  })

  test.each([
    ['bytes=500-1499', 206, 500, 1500],
    ['bytes=500-', 206, 500, 3000],
    ['bytes=-500', 206, 2500, 3000],
    ['bytes=2500-5000', 206, 2500, 3000],
    ['bytes=-5000', 206, 0, 3000],
  ])('Range request support: %s', async (range, status, start, end) => {
    const [repository, bytes] = [ownRepository(), content()]
    await registry.pushBlob(repository, bytes, named(bytes))
    const response = await call('GET', `${repository}/blobs/${named(bytes)}`, undefined, { Range: range })
    expect([response.status, header(response, 'content-range'), header(response, 'content-length')]).toEqual([
      status,
      `bytes ${start}-${end - 1}/3000`,
      String(end - start),
    ])
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes.subarray(start, end))).toBe(true)
  })

  test.each(['bytes=500-0', 'bytes=5000-10000', 'bytes=3000-', 'bytes=-0'])(
    'Range request support: %s cannot be satisfied',
    async range => {
      const [repository, bytes] = [ownRepository(), content()]
      await registry.pushBlob(repository, bytes, named(bytes))
      const response = await call('GET', `${repository}/blobs/${named(bytes)}`, undefined, { Range: range })
      expect([response.status, header(response, 'content-range')]).toEqual([416, 'bytes */3000'])
    },
  )

  /** What every finished upload owes. */
  async function expectCreated(response: Response, bytes: Buffer): Promise<void> {
    expect([response.status, header(response, 'docker-content-digest')]).toEqual([201, named(bytes)])
    expect((await registry.bytes(header(response, 'location')!)).equals(bytes)).toBe(true)
  }

  test('end-4b: Single POST answers 201 and a pullable Location', async () => {
    const bytes = content()
    await expectCreated(
      await call('POST', `${ownRepository()}/blobs/uploads/?digest=${named(bytes)}`, bytes, octets),
      bytes,
    )
  })

  test('end-4a, end-6: POST then PUT', async () => {
    const [repository, bytes] = [ownRepository(), content()]
    const started = await call('POST', `${repository}/blobs/uploads/`)
    expect([started.status, header(started, 'content-length')]).toEqual([202, '0'])
    const location = header(started, 'location')!
    expect(location).toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/)
    await expectCreated(await call('PUT', `${location}?digest=${named(bytes)}`, bytes, octets), bytes)
  })

  const chunk = (method: string, location: string, bytes: Buffer, start: number, end: number): Promise<Response> =>
    call(method, location, bytes.subarray(start, end), { ...octets, 'Content-Range': `${start}-${end - 1}` })

  test.each([
    ['a closing PUT without a body', false],
    ['the last chunk in the closing PUT', true],
  ])('end-5, end-6: Pushing a blob in chunks, %s', async (_what, withLast) => {
    const [repository, bytes] = [ownRepository(), content()]
    let location = await registry.startUpload(repository)
    for (const [start, end] of [[0, 1000], [1000, 2000], ...(withLast ? [] : [[2000, 3000]])] as const) {
      const response = await chunk('PATCH', location, bytes, start!, end!)
      expect([response.status, header(response, 'range')]).toEqual([202, `0-${end! - 1}`])
      location = header(response, 'location')!
    }
    const close = `${location}?digest=${named(bytes)}`
    await expectCreated(await (withLast ? chunk('PUT', close, bytes, 2000, 3000) : call('PUT', close)), bytes)
  })

  test('end-5: a streamed chunk has no Content-Range', async () => {
    const [repository, bytes] = [ownRepository(), content()]
    const location = await registry.startUpload(repository)
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array(bytes))
        controller.close()
      },
    })
    const response = await fetch(`${registry.base}${location}`, {
      method: 'PATCH',
      headers: octets,
      body: stream,
      duplex: 'half',
    } as RequestInit)
    expect(response.status).toBe(202)
    await expectCreated(await call('PUT', `${header(response, 'location')}?digest=${named(bytes)}`), bytes)
  })

  test.each(['PATCH', 'PUT'])(
    'end-5: a chunk out of order (%s) answers 416, and end-13: GET tells where to go on',
    async method => {
      const [repository, bytes] = [ownRepository(), content()]
      const location = await registry.startUpload(repository)
      const close = `${location}?digest=${named(bytes)}`
      await chunk('PATCH', location, bytes, 0, 1000)
      for (const [start, end] of [
        [2000, 3000],
        [0, 1000],
      ] as const) {
        const wrong = await chunk(method, method === 'PUT' ? close : location, bytes, start, end)
        expect([wrong.status, await codeOf(wrong)]).toEqual([416, 'BLOB_UPLOAD_INVALID'])
        const state = await call('GET', location)
        expect([state.status, header(state, 'range'), header(state, 'location')]).toEqual([204, '0-999', location])
      }
      await expectCreated(await chunk('PUT', close, bytes, 1000, 3000), bytes)
    },
  )

  test('end-5: the first chunk begins with 0', async () => {
    const [repository, bytes] = [ownRepository(), content()]
    expect((await chunk('PATCH', await registry.startUpload(repository), bytes, 1000, 2000)).status).toBe(416)
  })

  test.each(['post only', 'post and put', 'chunked', 'last chunk in PUT'])(
    'content with another digest (%s) answers 400 DIGEST_INVALID, and nothing of it stays',
    async way => {
      const [repository, bytes] = [ownRepository(), content()]
      const wrong = Buffer.concat([bytes, Buffer.from('oh no')])
      const push = async (): Promise<Response> => {
        if (way === 'post only') return call('POST', `${repository}/blobs/uploads/?digest=${named(bytes)}`, wrong)
        const location = await registry.startUpload(repository)
        const close = `${location}?digest=${named(bytes)}`
        if (way === 'post and put') return call('PUT', close, wrong)
        await chunk('PATCH', location, wrong, 0, way === 'chunked' ? wrong.length : 1000)
        return way === 'chunked' ? call('PUT', close) : chunk('PUT', close, wrong, 1000, wrong.length)
      }
      const response = await push()
      expect([response.status, await codeOf(response)]).toEqual([400, 'DIGEST_INVALID'])
      expect(await registry.status('HEAD', `${repository}/blobs/${named(bytes)}`)).toBe(404)
      expect(await registry.status('HEAD', `${repository}/blobs/${named(wrong)}`)).toBe(404)
    },
  )

  test('end-11: Mounting a blob from another repository answers 201 and a pullable Location', async () => {
    const [from, to, bytes] = [ownRepository(), ownRepository(), content()]
    await registry.pushBlob(from, bytes, named(bytes))
    const response = await call('POST', `${to}/blobs/uploads/?mount=${named(bytes)}&from=${from}`)
    expect(header(response, 'location')).toBe(`/v2/${to}/blobs/${named(bytes)}`)
    await expectCreated(response, bytes)
  })

  test('end-11: without from, the blob is mounted from wherever it is', async () => {
    const bytes = content()
    await registry.pushBlob(ownRepository(), bytes, named(bytes))
    await expectCreated(await call('POST', `${ownRepository()}/blobs/uploads/?mount=${named(bytes)}`), bytes)
  })

  test.each(['nowhere', 'in another repository than from'])(
    'end-11: a blob that is %s cannot be mounted: 202, and the upload has begun',
    async where => {
      const [from, bytes] = [ownRepository(), content()]
      if (where !== 'nowhere') await registry.pushBlob(ownRepository(), bytes, named(bytes))
      const response = await call('POST', `${ownRepository()}/blobs/uploads/?mount=${named(bytes)}&from=${from}`)
      expect(response.status).toBe(202)
      const location = header(response, 'location')!
      await expectCreated(await call('PUT', `${location}?digest=${named(bytes)}`, bytes, octets), bytes)
    },
  )

  test.each(['', '{}'])('the well-known blob "%s"', async text => {
    const [repository, bytes] = [ownRepository(), Buffer.from(text)]
    await registry.pushBlob(repository, bytes, named(bytes))
    expect(String(await registry.bytes(`${repository}/blobs/${named(bytes)}`))).toBe(text)
  })

  test('end-10: Deleting Blobs answers 202, then GET and DELETE answer 404', async () => {
    const [repository, other, bytes] = [ownRepository(), ownRepository(), content()]
    const path = `${repository}/blobs/${named(bytes)}`
    await registry.pushBlob(repository, bytes, named(bytes))
    await registry.pushBlob(other, bytes, named(bytes))
    expect(await registry.status('DELETE', path)).toBe(202)
    expect(await registry.status('GET', path)).toBe(404)
    expect(await registry.status('DELETE', path)).toBe(404)
    expect((await registry.bytes(`${other}/blobs/${named(bytes)}`)).equals(bytes)).toBe(true)
  })
})

describe('uploads', () => {
  test('end-14: Cancel a blob upload answers 204, then it is unknown', async () => {
    const location = await registry.startUpload(ownRepository())
    expect(await registry.status('DELETE', location)).toBe(204)
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const response = await call(method, location)
      expect([response.status, method === 'GET' ? await codeOf(response) : '']).toEqual([
        404,
        method === 'GET' ? 'BLOB_UPLOAD_UNKNOWN' : '',
      ])
    }
  })

  test('end-5, end-6, end-13: an upload is known in its repository alone', async () => {
    const location = await registry.startUpload('conformance/here')
    const elsewhere = location.replace('conformance/here', 'conformance/there')
    for (const method of ['GET', 'PATCH', 'DELETE']) expect(await registry.status(method, elsewhere)).toBe(404)
    expect(await registry.status('GET', location)).toBe(204)
  })

  test('OCI-Chunk-Min-Length is not sent: a chunk may have one byte', async () => {
    const started = await call('POST', `${ownRepository()}/blobs/uploads/`)
    expect(header(started, 'oci-chunk-min-length')).toBe(null)
    const location = header(started, 'location')!
    expect((await call('PATCH', location, 'a', { 'Content-Range': '0-0' })).status).toBe(202)
    expect((await call('PUT', `${location}?digest=${digestOf('ab')}`, 'b', { 'Content-Range': '1-1' })).status).toBe(
      201,
    )
  })

  test.each(['PATCH', 'PUT'])('%s with another Content-Length than its range answers SIZE_INVALID', async method => {
    const location = await registry.startUpload(ownRepository())
    const response = await call(method, `${location}?digest=${digestOf('abc')}`, 'abc', { 'Content-Range': '0-99' })
    expect([response.status, await codeOf(response)]).toEqual([400, 'SIZE_INVALID'])
    expect((await call('PUT', `${location}?digest=${digestOf('abc')}`, 'abc')).status).toBe(201)
  })

  test.each(['POST', 'PUT'])(
    'a digest of an algorithm that is not registered (%s) answers DIGEST_INVALID',
    async method => {
      const repository = ownRepository()
      const location = method === 'PUT' ? await registry.startUpload(repository) : `${repository}/blobs/uploads/`
      const response = await call(method, `${location}?digest=md5:${createHash('md5').update('x').digest('hex')}`, 'x')
      expect([response.status, await codeOf(response)]).toEqual([400, 'DIGEST_INVALID'])
    },
  )
})

describe('manifests', () => {
  test('end-7, end-3: a manifest is served byte for byte, by tag and by digest', async () => {
    const repository = ownRepository()
    await registry.pushBlob(repository, emptyConfig)
    const text = JSON.stringify(artifactOf({ unknown: 'field' }), undefined, 3)
    const pushed = await call('PUT', `${repository}/manifests/v1`, text, { 'Content-Type': imageType })
    expect([pushed.status, header(pushed, 'docker-content-digest')]).toEqual([201, digestOf(text)])
    for (const place of ['v1', digestOf(text), header(pushed, 'location')!]) {
      const path = place.startsWith('/') ? place : `${repository}/manifests/${place}`
      const response = await call('GET', path, undefined, { Accept: `${imageType}, ${indexType}` })
      expect([response.status, await response.text(), header(response, 'content-type')]).toEqual([200, text, imageType])
      expect(header(response, 'docker-content-digest')).toBe(digestOf(text))
      const head = await call('HEAD', path)
      expect([head.status, header(head, 'content-length')]).toEqual([200, String(text.length)])
    }
  })

  test('end-7: by digest with sha512', async () => {
    const repository = ownRepository()
    await registry.pushBlob(repository, emptyConfig)
    const text = JSON.stringify(artifactOf({}))
    const digest = digestOf(text, 'sha512')
    expect(await registry.pushManifest(repository, digest, text)).toBe(digest)
    const response = await call('GET', `${repository}/manifests/${digest}`)
    expect([await response.text(), header(response, 'docker-content-digest')]).toEqual([text, digest])
  })

  test('end-7: tags that are named beside a digest, of any algorithm (OCI-Tag)', async () => {
    const repository = ownRepository()
    await registry.pushBlob(repository, emptyConfig)
    const text = JSON.stringify(artifactOf({}))
    const digest = digestOf(text, 'sha512')
    const response = await call('PUT', `${repository}/manifests/${digest}?tag=a&tag=b`, text, {
      'Content-Type': imageType,
    })
    expect([response.status, header(response, 'oci-tag')]).toEqual([201, 'a, b'])
    expect(header(await call('HEAD', `${repository}/manifests/b`), 'docker-content-digest')).toBe(digest)
  })

  test.each([
    ['an empty one', []],
    ['of images', ['image']],
    ['of indexes', ['index']],
  ])('end-7: an index, %s', async (_what, children) => {
    const repository = ownRepository()
    await registry.pushBlob(repository, emptyConfig)
    const image = await registry.pushManifest(repository, 'image', artifactOf({}))
    const index = await registry.pushManifest(repository, 'index', indexOf([image]))
    const digests = children.map(child => (child === 'image' ? image : index))
    const outer = await registry.pushManifest(repository, 'outer', indexOf(digests))
    expect(header(await call('HEAD', `${repository}/manifests/${outer}`), 'content-type')).toBe(indexType)
  })

  test.each([
    ['an image without media type', artifactOf({ mediaType: undefined }), imageType],
    ['an index without media type', indexOf([], { mediaType: undefined }), indexType],
  ])('end-7: %s is served as what it is', async (_what, manifest, type) => {
    const repository = ownRepository()
    await registry.pushBlob(repository, emptyConfig)
    expect((await call('PUT', `${repository}/manifests/1`, JSON.stringify(manifest))).status).toBe(201)
    expect(header(await call('GET', `${repository}/manifests/1`), 'content-type')).toBe(type)
  })

  test('end-7: parameters of the Content-Type are ignored', async () => {
    const repository = ownRepository()
    await registry.pushBlob(repository, emptyConfig)
    const [text, type] = [JSON.stringify(artifactOf({})), `${imageType}; charset=utf-8`]
    expect((await call('PUT', `${repository}/manifests/1`, text, { 'Content-Type': type })).status).toBe(201)
    expect(header(await call('GET', `${repository}/manifests/1`), 'content-type')).toBe(imageType)
  })

  test('end-7: a Content-Type that is not the mediaType is refused, since no client would take the manifest', async () => {
    const repository = ownRepository()
    await registry.pushBlob(repository, emptyConfig)
    const response = await call('PUT', `${repository}/manifests/1`, JSON.stringify(artifactOf({})), {
      'Content-Type': indexType,
    })
    expect([response.status, await codeOf(response)]).toEqual([400, 'MANIFEST_INVALID'])
  })

  test('end-7: a manifest of 4 MiB is taken, a larger one answers 413', async () => {
    const repository = ownRepository()
    await registry.pushBlob(repository, emptyConfig)
    const withSize = (bytes: number): string => {
      const text = JSON.stringify(artifactOf({ annotations: { long: '' } }))
      return text.replace('"long":""', `"long":"${'a'.repeat(bytes - text.length)}"`)
    }
    const push = (bytes: number): Promise<Response> =>
      call('PUT', `${repository}/manifests/large`, withSize(bytes), { 'Content-Type': imageType })
    expect((await push(4 * 1024 * 1024)).status).toBe(201)
    const response = await push(4 * 1024 * 1024 + 1)
    expect([response.status, await codeOf(response)]).toEqual([413, 'SIZE_INVALID'])
  })

  test.each([
    ['an image without its configuration', artifactOf({})],
    ['an image without its layer', artifactOf({ config: undefined, layers: [{ digest: digestOf('layer') }] })],
    ['an index without its image', indexOf([digestOf('image')])],
  ])('end-7: %s answers MANIFEST_BLOB_UNKNOWN', async (_what, manifest) => {
    const response = await call('PUT', `${ownRepository()}/manifests/1`, JSON.stringify(manifest))
    expect([response.status, await codeOf(response)]).toEqual([404, 'MANIFEST_BLOB_UNKNOWN'])
  })

  test('end-7: what is in another repository is not there', async () => {
    await registry.pushBlob(ownRepository(), emptyConfig)
    const response = await call('PUT', `${ownRepository()}/manifests/1`, JSON.stringify(artifactOf({})))
    expect(await codeOf(response)).toBe('MANIFEST_BLOB_UNKNOWN')
  })

  test('end-7: layers that are elsewhere (urls) need not be there', async () => {
    const repository = ownRepository()
    await registry.pushBlob(repository, emptyConfig)
    const layers = [{ mediaType: 'x', digest: digestOf('far'), size: 1, urls: ['https://store.example.com/x'] }]
    await registry.pushManifest(repository, 'nondistributable', artifactOf({ layers }))
  })

  test('end-7: content that was embedded (data) has to be pushed as well', async () => {
    const repository = ownRepository()
    const config = { mediaType: 'x', digest: digestOf(emptyConfig), size: 2, data: 'e30=' }
    const push = (): Promise<number> =>
      registry.status('PUT', `${repository}/manifests/data`, JSON.stringify(artifactOf({ config })))
    expect(await push()).toBe(404)
    await registry.pushBlob(repository, emptyConfig)
    expect(await push()).toBe(201)
  })

  test.each([
    ['PUT', 'sha256:baddigeststring', 400],
    ['GET', 'sha256:baddigeststring', 404],
    ['PUT', digestOf('another'), 400],
  ])('%s of the manifest %s answers DIGEST_INVALID', async (method, reference, status) => {
    const repository = ownRepository()
    await registry.pushBlob(repository, emptyConfig)
    const response = await call(
      method,
      `${repository}/manifests/${reference}`,
      method === 'PUT' ? JSON.stringify(artifactOf({})) : undefined,
    )
    expect([response.status, await codeOf(response)]).toEqual([
      status,
      status === 404 ? 'NAME_UNKNOWN' : 'DIGEST_INVALID',
    ])
  })

  test.each(['missing', digestOf('missing')])('end-3: GET of an unknown manifest (%s) answers 404', async reference => {
    const repository = ownRepository()
    await registry.pushImage(repository, '1', 'layer')
    const response = await call('GET', `${repository}/manifests/${reference}`)
    expect([response.status, await codeOf(response)]).toEqual([404, 'MANIFEST_UNKNOWN'])
    expect(await registry.status('HEAD', `${repository}/manifests/${reference}`)).toBe(404)
  })

  test('end-3: Pulling a repository that does not exist answers 404', async () => {
    expect(await codeOf(await call('GET', `${ownRepository()}/manifests/1`))).toBe('NAME_UNKNOWN')
  })

  test('end-9: Deleting tags answers 202; the manifest stays', async () => {
    const repository = ownRepository()
    const { digest } = await registry.pushImage(repository, 'a', 'layer')
    expect(await registry.status('DELETE', `${repository}/manifests/a`)).toBe(202)
    expect(await registry.status('GET', `${repository}/manifests/a`)).toBe(404)
    expect(await registry.status('GET', `${repository}/manifests/${digest}`)).toBe(200)
  })

  test('end-9: Deleting Manifests answers 202; GET of it and of its tags answers 404', async () => {
    const repository = ownRepository()
    const { digest, manifest } = await registry.pushImage(repository, 'a', 'layer')
    await registry.pushManifest(repository, 'b', manifest)
    expect(await registry.status('DELETE', `${repository}/manifests/${digest}`)).toBe(202)
    for (const reference of ['a', 'b', digest])
      expect(await registry.status('GET', `${repository}/manifests/${reference}`)).toBe(404)
  })

  test('end-9: deleting in a repository that does not exist answers 404', async () => {
    expect(await registry.status('DELETE', `${ownRepository()}/manifests/${digestOf('x')}`)).toBe(404)
  })
})

describe('Listing Tags', () => {
  const tagsOf = async (path: string): Promise<{ tags: string[]; next: string | null }> => {
    const response = await call('GET', path)
    expect(response.status).toBe(200)
    const { tags } = (await response.json()) as { tags: string[] }
    return { tags, next: header(response, 'link') }
  }
  async function tagged(...tags: string[]): Promise<string> {
    const repository = ownRepository()
    const { manifest } = await registry.pushImage(repository, tags[0]!, 'layer')
    for (const tag of tags.slice(1)) await registry.pushManifest(repository, tag, manifest)
    return repository
  }

  test('end-8a: answers 200 with name and sorted tags', async () => {
    const repository = await tagged('b', 'a', 'c')
    expect(await registry.json(`${repository}/tags/list`)).toEqual({ name: repository, tags: ['a', 'b', 'c'] })
  })

  test('end-8b: n limits, and Link leads to the next', async () => {
    const repository = await tagged('a', 'b', 'c')
    const first = await tagsOf(`${repository}/tags/list?n=2`)
    expect(first.tags).toEqual(['a', 'b'])
    const [, next] = /^<(.+)>; rel="next"$/.exec(first.next!)!
    expect(await tagsOf(next!)).toEqual({ tags: ['c'], next: null })
  })

  test('end-8b: n=0 answers an empty list without Link', async () => {
    expect(await tagsOf(`${await tagged('a')}/tags/list?n=0`)).toEqual({ tags: [], next: null })
  })

  test('end-8b: last is not among the tags that come after it, with or without n', async () => {
    const repository = await tagged('a', 'b', 'c', 'd')
    expect((await tagsOf(`${repository}/tags/list?last=b`)).tags).toEqual(['c', 'd'])
    expect((await tagsOf(`${repository}/tags/list?n=1&last=b`)).tags).toEqual(['c'])
    expect((await tagsOf(`${repository}/tags/list?last=bb`)).tags).toEqual(['c', 'd'])
  })

  test('end-8a: a repository whose tags are gone has an empty list', async () => {
    const repository = await tagged('a')
    await registry.status('DELETE', `${repository}/manifests/a`)
    expect((await tagsOf(`${repository}/tags/list`)).tags).toEqual([])
  })

  test('end-8a: a repository that does not exist answers 404 NAME_UNKNOWN', async () => {
    expect(await codeOf(await call('GET', `${ownRepository()}/tags/list`))).toBe('NAME_UNKNOWN')
  })
})

describe('Listing Referrers', () => {
  interface Listed {
    readonly manifests: readonly { digest: string; artifactType?: string; annotations?: object; size: number }[]
  }
  const referrers = (repository: string, subject: string): Promise<Listed> =>
    registry.json(`${repository}/referrers/${subject}`)
  const about = (digest: string): object => ({ subject: { mediaType: imageType, digest, size: 1 } })

  async function withSubject(): Promise<{ repository: string; subject: string }> {
    const repository = ownRepository()
    await registry.pushBlob(repository, emptyConfig)
    return { repository, subject: (await registry.pushImage(repository, '1', 'layer')).digest }
  }

  test('end-12a: an empty index where nothing refers, never 404', async () => {
    const response = await call('GET', `${ownRepository()}/referrers/${digestOf('nothing')}`)
    expect([response.status, header(response, 'content-type')]).toEqual([200, indexType])
    expect(await response.json()).toEqual({ schemaVersion: 2, mediaType: indexType, manifests: [] })
  })

  test('end-7: Pushing a manifest with a subject answers OCI-Subject, also of a subject that is missing', async () => {
    const { repository, subject } = await withSubject()
    for (const digest of [subject, digestOf('missing'), `sha512:${'0'.repeat(128)}`]) {
      const response = await call('PUT', `${repository}/manifests/signature`, JSON.stringify(artifactOf(about(digest))))
      expect([response.status, header(response, 'oci-subject')]).toEqual([201, digest])
      expect((await referrers(repository, digest)).manifests).toHaveLength(1)
    }
  })

  test('end-12a: artifactType is that of the manifest, else the media type of its configuration', async () => {
    const { repository, subject } = await withSubject()
    const [explicit, empty] = ['application/vnd.example.sbom', '']
    await registry.pushManifest(repository, 'a', artifactOf({ ...about(subject), artifactType: explicit }))
    await registry.pushManifest(repository, 'b', artifactOf({ ...about(subject), artifactType: empty }))
    const types = (await referrers(repository, subject)).manifests.map(({ artifactType }) => artifactType)
    expect(new Set(types)).toEqual(new Set(['application/vnd.example.sbom', 'application/vnd.oci.empty.v1+json']))
  })

  test('end-12a: of an index without artifactType, none is told', async () => {
    const { repository, subject } = await withSubject()
    await registry.pushManifest(repository, 'index', indexOf([], about(subject)))
    const { manifests } = await referrers(repository, subject)
    expect(manifests.map(Object.keys)).toEqual([['mediaType', 'digest', 'size']])
  })

  test('end-12a: annotations are told', async () => {
    const { repository, subject } = await withSubject()
    const annotations = { 'org.opencontainers.conformance': 'hello' }
    await registry.pushManifest(repository, 'a', artifactOf({ ...about(subject), annotations }))
    expect((await referrers(repository, subject)).manifests[0]!.annotations).toEqual(annotations)
  })

  test('end-12b: filtered by artifactType, and OCI-Filters-Applied says so', async () => {
    const { repository, subject } = await withSubject()
    for (const type of ['application/vnd.a', 'application/vnd.b'])
      await registry.pushManifest(repository, 't', artifactOf({ ...about(subject), artifactType: type }))
    const response = await call('GET', `${repository}/referrers/${subject}?artifactType=application/vnd.b`)
    expect(header(response, 'oci-filters-applied')).toBe('artifactType')
    const { manifests } = (await response.json()) as Listed
    expect(manifests.map(({ artifactType }) => artifactType)).toEqual(['application/vnd.b'])
    expect(header(await call('GET', `${repository}/referrers/${subject}`), 'oci-filters-applied')).toBe(null)
  })

  test('end-12a: a referrer that is deleted is not listed any more', async () => {
    const { repository, subject } = await withSubject()
    const digest = await registry.pushManifest(repository, 'a', artifactOf(about(subject)))
    await registry.status('DELETE', `${repository}/manifests/${digest}`)
    expect((await referrers(repository, subject)).manifests).toEqual([])
  })

  test('end-12a: a digest that is none answers 400', async () => {
    const response = await call('GET', `${ownRepository()}/referrers/latest`)
    expect([response.status, await codeOf(response)]).toEqual([400, 'DIGEST_INVALID'])
  })

  test('Enabling the Referrers API: what clients kept under the tag schema before stays readable', async () => {
    const { repository, subject } = await withSubject()
    const tag = subject.replace(':', '-')
    const signature = await registry.pushManifest(repository, 'signature', artifactOf(about(subject)))
    await registry.pushManifest(repository, tag, indexOf([signature]))
    expect(await registry.status('GET', `${repository}/manifests/${tag}`)).toBe(200)
    expect((await referrers(repository, subject)).manifests).toMatchObject([{ digest: signature }])
  })
})

describe('Error Codes', () => {
  const codes = new Set([
    'BLOB_UNKNOWN',
    'BLOB_UPLOAD_INVALID',
    'BLOB_UPLOAD_UNKNOWN',
    'DIGEST_INVALID',
    'MANIFEST_BLOB_UNKNOWN',
    'MANIFEST_INVALID',
    'MANIFEST_UNKNOWN',
    'NAME_INVALID',
    'NAME_UNKNOWN',
    'SIZE_INVALID',
    'UNAUTHORIZED',
    'DENIED',
    'UNSUPPORTED',
    'TOOMANYREQUESTS',
  ])

  test.each([
    ['GET', 'Upper/tags/list', 400],
    ['GET', 'web/manifests/.bad', 404],
    ['PUT', 'web/manifests/.bad', 400],
    ['PUT', 'web/manifests/1', 400],
    ['GET', 'web/tags/list?n=many', 404],
    ['GET', 'web/blobs/sha256:short', 400],
    ['POST', 'web/blobs/uploads/?digest=sha256:short', 400],
    ['GET', 'web/blobs/uploads/unknown', 404],
    ['PUT', 'web/blobs/uploads/unknown?digest=x', 404],
    ['POST', 'web/tags/list', 405],
    ['GET', 'web/nothing', 404],
    ['GET', `${'a/'.repeat(130)}a/tags/list`, 400],
  ])('%s %s answers %i with a code of the table', async (method, path, status) => {
    const response = await call(method, path)
    expect(response.status).toBe(status)
    expect(header(response, 'content-type')).toBe('application/json')
    const { errors } = (await response.json()) as { errors: { code: string; message: string }[] }
    expect(codes.has(errors[0]!.code)).toBe(true)
    expect(errors[0]!.message).not.toBe('')
  })

  test('a name of 255 characters is a name', async () => {
    const repository = `${'a/'.repeat(127)}a`
    const { digest } = await registry.pushImage(repository, 'x'.repeat(128), 'layer')
    expect(header(await call('HEAD', `${repository}/manifests/${'x'.repeat(128)}`), 'docker-content-digest')).toBe(
      digest,
    )
    expect((await registry.json<{ repositories: string[] }>('_catalog')).repositories).toContain(repository)
  })
})
