// The distribution protocol over HTTP, as docker, buildah and containerd speak it.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../../testing/eventually.ts'
import { codeOf, imageType as manifestType, RegistryFixture } from '../../testing/registry-fixture.ts'
import { digestOf } from './digest.ts'

let registry: RegistryFixture
beforeAll(async () => {
  registry = await RegistryFixture.start()
})
afterAll(() => registry.close())

const call: RegistryFixture['call'] = (...request) => registry.call(...request)
const pushBlob: RegistryFixture['pushBlob'] = (...blob) => registry.pushBlob(...blob)
const pushImage: RegistryFixture['pushImage'] = (...image) => registry.pushImage(...image)
const startUpload = (repository: string): Promise<string> => registry.startUpload(repository)

test('the registry says that it speaks version 2', async () => {
  const response = await call('GET', '/v2/')
  expect(response.status).toBe(200)
  expect(response.headers.get('docker-distribution-api-version')).toBe('registry/2.0')
})

describe('uploading', () => {
  test('in one request', async () => {
    const digest = await pushBlob('team/deep/web', 'whole')
    const response = await call('GET', `team/deep/web/blobs/${digest}`)
    expect(await response.text()).toBe('whole')
    expect(response.headers.get('docker-content-digest')).toBe(digest)
  })

  test('in chunks, whose state can be asked for', async () => {
    const content = randomBytes(300_000)
    const location = await startUpload('web')
    const first = await call('PATCH', location, content.subarray(0, 100_000), { 'Content-Range': '0-99999' })
    expect([first.status, first.headers.get('range')]).toEqual([202, '0-99999'])
    const second = await call('PATCH', location, content.subarray(100_000, 200_000), {
      'Content-Range': '100000-199999',
    })
    expect(second.headers.get('range')).toBe('0-199999')
    const state = await call('GET', location)
    expect([state.status, state.headers.get('range')]).toEqual([204, '0-199999'])
    const end = await call('PUT', `${location}?digest=${digestOf(content)}`, content.subarray(200_000))
    expect(end.status).toBe(201)
    expect(Buffer.from(await (await call('GET', end.headers.get('location')!)).arrayBuffer()).equals(content)).toBe(
      true,
    )
  })

  test('a chunk out of order is refused and can be sent again', async () => {
    const location = await startUpload('web')
    await call('PATCH', location, 'abc', { 'Content-Range': '0-2' })
    const wrong = await call('PATCH', location, 'ghi', { 'Content-Range': '6-8' })
    expect([wrong.status, await codeOf(wrong)]).toEqual([416, 'BLOB_UPLOAD_INVALID'])
    expect(
      (await call('PUT', `${location}?digest=${digestOf('abcdef')}`, 'def', { 'Content-Range': '3-5' })).status,
    ).toBe(201)
  })

  test('content that is not what its digest says is refused, and nothing of it stays', async () => {
    const response = await call('POST', `web/blobs/uploads/?digest=${digestOf('promised')}`, 'delivered')
    expect([response.status, await codeOf(response)]).toEqual([400, 'DIGEST_INVALID'])
    expect((await call('HEAD', `web/blobs/${digestOf('promised')}`)).status).toBe(404)
    expect((await call('HEAD', `web/blobs/${digestOf('delivered')}`)).status).toBe(404)
  })

  test('a digest that is none is refused', async () => {
    const location = await startUpload('web')
    expect(await codeOf(await call('PUT', `${location}?digest=md5:12`, 'x'))).toBe('DIGEST_INVALID')
  })

  test('a blob that is there already can be mounted', async () => {
    const digest = await pushBlob('one', 'shared')
    expect((await call('POST', `two/blobs/uploads/?mount=${digest}&from=one`)).status).toBe(201)
  })

  test('to mount what is not there starts an upload', async () => {
    expect((await call('POST', `two/blobs/uploads/?mount=${digestOf('nowhere')}&from=one`)).status).toBe(202)
  })

  test('an upload can be given up, and is unknown then', async () => {
    const location = await startUpload('web')
    expect((await call('DELETE', location)).status).toBe(204)
    expect(await codeOf(await call('PATCH', location, 'x'))).toBe('BLOB_UPLOAD_UNKNOWN')
  })

  test('an upload whose connection breaks goes on where it stopped', async () => {
    const location = await startUpload('web')
    const socket = connect(registry.port, '127.0.0.1')
    socket.write(`PATCH ${location} HTTP/1.1\r\nHost: registry\r\nContent-Length: 1000\r\n\r\nhalf`)
    await eventually('the first bytes arrive', async () => (await call('GET', location)).headers.get('range') === '0-3')
    socket.destroy()
    const rest = await call('PATCH', location, ' and half', { 'Content-Range': '4-12' })
    expect([rest.status, rest.headers.get('range')]).toEqual([202, '0-12'])
    expect((await call('PUT', `${location}?digest=${digestOf('half and half')}`)).status).toBe(201)
  })

  test('who comes back while his old connection still hangs ends it', async () => {
    const location = await startUpload('web')
    const socket = connect(registry.port, '127.0.0.1')
    const closed = once(socket, 'close')
    socket.write(`PATCH ${location} HTTP/1.1\r\nHost: registry\r\nContent-Length: 1000\r\n\r\nhalf`)
    await eventually('the first bytes arrive', async () => (await call('GET', location)).headers.get('range') === '0-3')
    const path = `${location}?digest=${digestOf('half again')}`
    expect((await call('PUT', path, ' again', { 'Content-Range': '4-9' })).status).toBe(201)
    await closed
  })

  test('a blob that is sent at once and breaks off leaves nothing', async () => {
    const socket = connect(registry.port, '127.0.0.1')
    const path = `/v2/web/blobs/uploads/?digest=${digestOf('never')}`
    socket.write(`POST ${path} HTTP/1.1\r\nHost: registry\r\nContent-Length: 1000\r\n\r\nhalf`)
    const uploads = (): number => readdirSync(join(registry.directory, 'uploads')).length
    const before = uploads()
    await eventually('it arrives', () => uploads() > before)
    socket.destroy()
    await eventually('its file is gone', () => uploads() === before)
  })
})

describe('reading a blob', () => {
  test.each([
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=8-100', 206, '89', 'bytes 8-9/10'],
    ['something', 200, '0123456789', null],
  ])('with the range %s', async (range, status, text, contentRange) => {
    const digest = await pushBlob('web', '0123456789')
    const response = await call('GET', `web/blobs/${digest}`, undefined, { Range: range })
    expect([response.status, await response.text(), response.headers.get('content-range')]).toEqual([
      status,
      text,
      contentRange,
    ])
  })

  test('a range behind its end cannot be given', async () => {
    const digest = await pushBlob('web', '0123456789')
    expect((await call('GET', `web/blobs/${digest}`, undefined, { Range: 'bytes=10-' })).status).toBe(416)
  })

  test('an empty blob', async () => {
    const digest = await pushBlob('web', '')
    expect(await (await call('GET', `web/blobs/${digest}`)).text()).toBe('')
  })
})

describe('manifests', () => {
  test('are found by tag and by digest, with their media type', async () => {
    const { digest, manifest } = await pushImage('team/web', '1.0.0', 'layer')
    for (const reference of ['1.0.0', digest]) {
      const response = await call('GET', `team/web/manifests/${reference}`)
      expect([
        response.headers.get('content-type'),
        response.headers.get('docker-content-digest'),
        await response.text(),
      ]).toEqual([manifestType, digest, manifest])
      const head = await call('HEAD', `team/web/manifests/${reference}`)
      expect([head.status, head.headers.get('content-length')]).toEqual([200, String(manifest.length)])
    }
  })

  test('a tag moves', async () => {
    await pushImage('moving', 'latest', 'old')
    const { digest } = await pushImage('moving', 'latest', 'new')
    expect((await call('HEAD', 'moving/manifests/latest')).headers.get('docker-content-digest')).toBe(digest)
  })

  test.each([
    [
      'names a blob that was not pushed',
      JSON.stringify({ config: { digest: digestOf('nothing') }, layers: [] }),
      404,
      'MANIFEST_BLOB_UNKNOWN',
    ],
    [
      'names a layer that was not pushed',
      JSON.stringify({ layers: [{ digest: digestOf('nothing') }] }),
      404,
      'MANIFEST_BLOB_UNKNOWN',
    ],
    [
      'is an index of manifests that are not there',
      JSON.stringify({ manifests: [{ digest: digestOf('nothing') }] }),
      404,
      'MANIFEST_BLOB_UNKNOWN',
    ],
    ['is not JSON', 'no json', 400, 'MANIFEST_INVALID'],
    ['is no object', 'null', 400, 'MANIFEST_INVALID'],
    ['names no digest', JSON.stringify({ layers: [{}] }), 404, 'MANIFEST_BLOB_UNKNOWN'],
  ])('one that %s is refused', async (_what, content, status, code) => {
    const response = await call('PUT', 'web/manifests/refused', content, { 'Content-Type': manifestType })
    expect([response.status, await codeOf(response)]).toEqual([status, code])
    expect((await call('GET', 'web/manifests/refused')).status).toBe(404)
  })

  test('a layer that says where else it is need not be here', async () => {
    const response = await call(
      'PUT',
      'web/manifests/foreign',
      JSON.stringify({ layers: [{ digest: digestOf('far'), urls: ['https://example.com/layer'] }] }),
    )
    expect(response.status).toBe(201)
  })

  test('pushed by digest must have that digest', async () => {
    const response = await call('PUT', `web/manifests/${digestOf('other')}`, '{}')
    expect([response.status, await codeOf(response)]).toEqual([400, 'DIGEST_INVALID'])
  })

  test('that are too large are refused', async () => {
    expect((await call('PUT', 'web/manifests/large', Buffer.alloc(4 * 1024 * 1024 + 1))).status).toBe(413)
  })

  test('deleting one by digest takes its tags along', async () => {
    const { digest } = await pushImage('gone', 'a', 'x')
    await pushImage('gone', 'b', 'x')
    await pushImage('gone', 'c', 'y')
    expect((await call('DELETE', `gone/manifests/${digest}`)).status).toBe(202)
    expect(await (await call('GET', 'gone/tags/list')).json()).toEqual({ name: 'gone', tags: ['c'] })
    expect(await codeOf(await call('DELETE', `gone/manifests/${digest}`))).toBe('MANIFEST_UNKNOWN')
  })

  test('deleting a tag keeps the manifest', async () => {
    const { digest } = await pushImage('kept', 'a', 'x')
    expect((await call('DELETE', 'kept/manifests/a')).status).toBe(202)
    expect((await call('GET', `kept/manifests/${digest}`)).status).toBe(200)
    expect((await call('GET', 'kept/manifests/a')).status).toBe(404)
  })
})

test('the catalog lists repositories, whatever slashes their names have', async () => {
  await pushImage('z/y/x', '1', 'layer')
  const { repositories } = (await (await call('GET', '_catalog')).json()) as { repositories: string[] }
  expect(repositories).toContain('z/y/x')
})

test.each([
  ['a name with capitals', 'GET', 'Web/tags/list', 400, 'NAME_INVALID'],
  ['a name that leaves the folder', 'GET', '..%2F..%2Fetc/manifests/1', 400, 'NAME_INVALID'],
  ['a tag that leaves the folder', 'GET', 'web/manifests/..%2F..%2Fx', 400, 'MANIFEST_INVALID'],
  ['a tag that is damaged', 'GET', 'web/manifests/%zz', 400, 'MANIFEST_INVALID'],
  ['a blob that is not there', 'GET', `web/blobs/${digestOf('nothing')}`, 404, 'BLOB_UNKNOWN'],
  ['a digest of another kind', 'GET', 'web/blobs/md5:1', 400, 'DIGEST_INVALID'],
  ['a repository that is not there', 'GET', 'nobody/tags/list', 404, 'NAME_UNKNOWN'],
  ['an image of a repository that is not there', 'GET', 'nobody/manifests/1', 404, 'NAME_UNKNOWN'],
  ['deleting from a repository that is not there', 'DELETE', 'nobody/manifests/1', 404, 'NAME_UNKNOWN'],
  ['writing tags', 'POST', 'nobody/tags/list', 405, 'UNSUPPORTED'],
  ['a number of names that is none', 'GET', '_catalog?n=-1', 400, 'UNSUPPORTED'],
  ['referrers of what is no digest', 'GET', 'nobody/referrers/latest', 400, 'DIGEST_INVALID'],
  ['a path that means nothing', 'GET', 'web/other', 404, 'NAME_UNKNOWN'],
  ['a method that means nothing', 'POST', 'web/manifests/1', 405, 'UNSUPPORTED'],
])('%s gives one clear error', async (_what, method, path, status, code) => {
  const response = await call(method, path)
  expect([response.status, await codeOf(response)]).toEqual([status, code])
})

test('images are there again after a restart, and unfinished uploads go on', async () => {
  const { digest, manifest, layers } = await pushImage('stays', '1', 'layer')
  const location = await startUpload('stays')
  await call('PATCH', location, 'half ')
  await registry.restart()
  expect(await (await call('GET', 'stays/manifests/1')).text()).toBe(manifest)
  expect((await call('GET', `stays/manifests/${digest}`)).headers.get('content-type')).toBe(manifestType)
  expect((await call('GET', `stays/blobs/${layers[0]}`)).status).toBe(200)
  expect((await call('GET', location)).headers.get('range')).toBe('0-4')
  const end = await call('PUT', `${location}?digest=${digestOf('half way')}`, 'way', { 'Content-Range': '5-7' })
  expect(end.status).toBe(201)
})

describe('paging', () => {
  /** Follows the links; every part must have as many names as were asked for. */
  async function parts(path: string, field: string): Promise<string[][]> {
    const found: string[][] = []
    for (let next: string | undefined = path; next !== undefined;) {
      const response = await call('GET', next)
      expect(response.status).toBe(200)
      found.push(((await response.json()) as Record<string, string[]>)[field]!)
      next = /^<(.+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1]
    }
    return found
  }

  test('tags come in parts, in the order of their letters', async () => {
    const { manifest } = await pushImage('paged', 'b', 'paged')
    for (const tag of ['A', 'c', 'B', '1.0', '1.0-x'])
      await call('PUT', `paged/manifests/${tag}`, manifest, { 'Content-Type': manifestType })
    expect(await parts('paged/tags/list', 'tags')).toEqual([['1.0', '1.0-x', 'A', 'B', 'b', 'c']])
    expect(await parts('paged/tags/list?n=4', 'tags')).toEqual([
      ['1.0', '1.0-x', 'A', 'B'],
      ['b', 'c'],
    ])
    expect(await parts('paged/tags/list?n=3', 'tags')).toEqual([
      ['1.0', '1.0-x', 'A'],
      ['B', 'b', 'c'],
    ])
    expect(await parts('paged/tags/list?n=7&last=a', 'tags')).toEqual([['B', 'b', 'c']])
    expect(await parts('paged/tags/list?n=0', 'tags')).toEqual([[]])
    expect(await parts('paged/tags/list?last=z', 'tags')).toEqual([[]])
  })

  test('repositories come in parts, also such with slashes', async () => {
    for (const name of ['catalog/one', 'catalog/two', 'catalog']) await pushImage(name, '1', name)
    const all = (await parts('_catalog', 'repositories')).flat()
    expect(all).toEqual(expect.arrayContaining(['catalog', 'catalog/one', 'catalog/two']))
    const each = await parts('_catalog?n=1', 'repositories')
    expect(each).toEqual(all.map(name => [name]))
  })
})

describe('referrers', () => {
  const indexType = 'application/vnd.oci.image.index.v1+json'
  async function refer(subject: string, fields: object, repository = 'refers'): Promise<Response> {
    const config = await pushBlob(repository, '{}')
    const manifest = {
      schemaVersion: 2,
      mediaType: manifestType,
      config: { mediaType: 'application/vnd.example.config', digest: config, size: 2 },
      layers: [],
      subject: { mediaType: manifestType, digest: subject, size: 1 },
      ...fields,
    }
    return call('PUT', `${repository}/manifests/${digestOf(JSON.stringify(manifest))}`, JSON.stringify(manifest), {
      'Content-Type': manifest.mediaType,
    })
  }
  const list = async (path: string): Promise<{ response: Response; manifests: { artifactType?: string }[] }> => {
    const response = await call('GET', path)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe(indexType)
    const { manifests, ...rest } = (await response.json()) as { manifests: { artifactType?: string }[] }
    expect(rest).toEqual({ schemaVersion: 2, mediaType: indexType })
    return { response, manifests }
  }

  test('are what was pushed about a manifest, before or after it', async () => {
    const subject = digestOf('pushed later')
    const signature = await refer(subject, {
      artifactType: 'application/vnd.example.signature',
      annotations: { by: 'me' },
    })
    expect(signature.status).toBe(201)
    expect(signature.headers.get('oci-subject')).toBe(subject)
    const report = await refer(subject, {})
    const index = await refer(subject, { mediaType: indexType, config: undefined, layers: undefined, manifests: [] })
    await refer(digestOf('another'), {})
    await refer(subject, {}, 'elsewhere')
    const { response, manifests } = await list(`refers/referrers/${subject}`)
    expect(response.headers.get('oci-filters-applied')).toBe(null)
    const digest = (pushed: Response): string => pushed.headers.get('docker-content-digest')!
    expect(manifests).toHaveLength(3)
    expect(manifests).toEqual(
      expect.arrayContaining([
        {
          mediaType: manifestType,
          digest: digest(signature),
          size: expect.any(Number),
          artifactType: 'application/vnd.example.signature',
          annotations: { by: 'me' },
        },
        {
          mediaType: manifestType,
          digest: digest(report),
          size: expect.any(Number),
          artifactType: 'application/vnd.example.config',
        },
        { mediaType: indexType, digest: digest(index), size: expect.any(Number) },
      ]),
    )
    const filtered = await list(`refers/referrers/${subject}?artifactType=application/vnd.example.config`)
    expect(filtered.response.headers.get('oci-filters-applied')).toBe('artifactType')
    expect(filtered.manifests).toMatchObject([{ digest: digest(report) }])
    expect((await call('DELETE', `refers/manifests/${digest(report)}`)).status).toBe(202)
    expect((await list(`refers/referrers/${subject}`)).manifests).toHaveLength(2)
  })

  test('of what nobody refers to are an empty list, also where there is no such repository', async () => {
    expect((await list(`nobody/referrers/${digestOf('x')}`)).manifests).toEqual([])
    expect((await list(`nobody/referrers/sha512:${'0'.repeat(128)}`)).manifests).toEqual([])
  })

  test('of no digest are refused, and what is about nothing says so', async () => {
    const { manifest } = await pushImage('refers', 'plain', 'plain')
    const plain = await call('PUT', 'refers/manifests/plain', manifest, { 'Content-Type': manifestType })
    expect(plain.headers.get('oci-subject')).toBe(null)
    expect(await codeOf(await refer('latest', {}))).toBe('MANIFEST_INVALID')
  })
})

test('a push behind a layer that is still on its way is read whole', async () => {
  const layer = randomBytes(8 << 20)
  const digest = await pushBlob('kept', layer)
  const socket = connect(registry.port, '127.0.0.1')
  socket.write(`GET /v2/kept/blobs/${digest} HTTP/1.1\r\nHost: a\r\n\r\n`)
  // The answer is on its way, and nobody reads it.
  await once(socket, 'readable')
  const content = randomBytes(200_000)
  socket.write(
    `POST /v2/kept/blobs/uploads/?digest=${digestOf(content)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${content.length}\r\n\r\n`,
  )
  socket.write(content)
  const received = await buffer(socket)
  expect(received.subarray(received.lastIndexOf('HTTP/1.1 '), -1).toString('latin1')).toMatch(/^HTTP\/1.1 201 /)
})
