// Demands of the distribution specification on content that is read and deleted, by their names there.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { header, ownRepository } from '../../../testing/conformance.ts'
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
