// Demands of the distribution specification on content that is pushed, by their names there.
import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { header, octets, ownRepository } from '../../../testing/conformance.ts'
import { codeOf, RegistryFixture } from '../../../testing/registry-fixture.ts'
import { digestOf, type Algorithm } from '../digest.ts'

let registry: RegistryFixture
beforeAll(async () => {
  registry = await RegistryFixture.start()
})
afterAll(() => registry.close())
const call: RegistryFixture['call'] = (...request) => registry.call(...request)

describe.each<Algorithm>(['sha256', 'sha512'])('blobs with %s', algorithm => {
  const content = (): Buffer => randomBytes(3000)
  const named = (bytes: Buffer): string => digestOf(bytes, algorithm)

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
