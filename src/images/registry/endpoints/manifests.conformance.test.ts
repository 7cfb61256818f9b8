// Demands of the distribution specification on manifests, by their names there.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { artifactOf, emptyConfig, header, indexOf, ownRepository } from '../../../testing/conformance.ts'
import { codeOf, imageType, indexType, RegistryFixture } from '../../../testing/registry-fixture.ts'
import { digestOf } from '../digest.ts'

let registry: RegistryFixture
beforeAll(async () => {
  registry = await RegistryFixture.start()
})
afterAll(() => registry.close())
const call: RegistryFixture['call'] = (...request) => registry.call(...request)

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
