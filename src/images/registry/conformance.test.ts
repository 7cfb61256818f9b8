// What the OCI distribution specification 1.1 demands of a registry as a whole, and what the project's own conformance suite
// looks for, under the specification's names; demands on each endpoint are beside it. What is optional there and has a test
// is what this registry does.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { header } from '../../testing/conformance.ts'
import { RegistryFixture } from '../../testing/registry-fixture.ts'

let registry: RegistryFixture
beforeAll(async () => {
  registry = await RegistryFixture.start()
})
afterAll(() => registry.close())
const call: RegistryFixture['call'] = (...request) => registry.call(...request)

describe('Determining Support', () => {
  test('end-1: GET /v2/ answers 200', async () => {
    expect((await call('GET', '/v2/')).status).toBe(200)
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
