// What oras and cosign ask of a registry, in the order in which they ask: neither can be installed where tests run.
// Sources: oras-go (registry/remote), go-containerregistry (pkg/v1/remote) with which cosign reads and writes, and
// published traces of "cosign sign" and "cosign verify".
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { imageType, indexType, RegistryFixture, type PushedImage } from '../../testing/registry-fixture.ts'
import { digestOf } from './digest.ts'

let registry: RegistryFixture
let image: PushedImage
beforeAll(async () => {
  registry = await RegistryFixture.start()
  image = await registry.pushImage('team/web', '1.0', 'layer')
})
afterAll(() => registry.close())
const call: RegistryFixture['call'] = (...request) => registry.call(...request)
const accepted = { Accept: `${imageType}, ${indexType}, application/vnd.oci.artifact.manifest.v1+json` }
const header = (response: Response, name: string): string => response.headers.get(name)!

describe('oras', () => {
  /** Looks whether it is there, then sends it at once to where it was told. */
  async function pushBlob(repository: string, content: string): Promise<string> {
    const digest = digestOf(content)
    if ((await call('HEAD', `${repository}/blobs/${digest}`)).status === 200) return digest
    const begun = await call('POST', `${repository}/blobs/uploads/`)
    expect(begun.status).toBe(202)
    const location = new URL(header(begun, 'location'), registry.base)
    location.searchParams.set('digest', digest)
    const sent = await call('PUT', location.pathname + location.search, content, {
      'Content-Type': 'application/octet-stream',
    })
    expect(sent.status).toBe(201)
    return digest
  }

  async function pushArtifact(type: string, file: string, subject?: PushedImage): Promise<Response> {
    const config = await pushBlob('team/web', '{}')
    const layer = await pushBlob('team/web', file)
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: imageType,
      artifactType: type,
      config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: config, size: 2, data: 'e30=' },
      layers: [
        {
          mediaType: 'text/plain',
          digest: layer,
          size: file.length,
          annotations: { 'org.opencontainers.image.title': 'a' },
        },
      ],
      ...(subject && { subject: { mediaType: imageType, digest: subject.digest, size: subject.manifest.length } }),
      annotations: { 'org.opencontainers.image.created': '2026-01-01T00:00:00Z' },
    })
    const digest = digestOf(manifest)
    expect((await call('HEAD', `team/web/manifests/${digest}`, undefined, accepted)).status).toBe(404)
    const pushed = await call('PUT', `team/web/manifests/${digest}`, manifest, { 'Content-Type': imageType })
    expect([pushed.status, header(pushed, 'docker-content-digest')]).toEqual([201, digest])
    return pushed
  }

  test('push, tag and pull of files', async () => {
    const digest = header(await pushArtifact('application/vnd.me.notes', 'hello'), 'docker-content-digest')
    const content = await (await call('GET', `team/web/manifests/${digest}`, undefined, accepted)).text()
    expect((await call('PUT', 'team/web/manifests/notes', content, { 'Content-Type': imageType })).status).toBe(201)
    const resolved = await call('HEAD', 'team/web/manifests/notes', undefined, accepted)
    expect([header(resolved, 'docker-content-digest'), header(resolved, 'content-length')]).toEqual([
      digest,
      String(content.length),
    ])
    const { layers } = JSON.parse(content) as { layers: { digest: string }[] }
    expect(String(await registry.bytes(`team/web/blobs/${layers[0]!.digest}`))).toBe('hello')
  })

  test('attach and discover: the registry keeps what is about an image itself', async () => {
    const subject = await call('HEAD', 'team/web/manifests/1.0', undefined, accepted)
    expect(header(subject, 'docker-content-digest')).toBe(image.digest)
    // How it finds out whether there is the interface for referrers.
    const probe = await call('GET', `team/web/referrers/sha256:${'0'.repeat(64)}`)
    expect([probe.status, header(probe, 'content-type')]).toEqual([200, indexType])
    const attached = await pushArtifact('application/vnd.me.report', 'fine', image)
    expect(header(attached, 'oci-subject')).toBe(image.digest)
    const query = new URLSearchParams({ artifactType: 'application/vnd.me.report' })
    const found = await call('GET', `team/web/referrers/${image.digest}?${query}`)
    expect(header(found, 'oci-filters-applied')).toBe('artifactType')
    expect(((await found.json()) as { manifests: object[] }).manifests).toMatchObject([
      { digest: header(attached, 'docker-content-digest'), artifactType: 'application/vnd.me.report' },
    ])
  })

  test('copy to another repository mounts what is there, and takes along what is about it', async () => {
    for (const digest of [image.config, ...image.layers]) {
      expect((await call('HEAD', `team/copy/blobs/${digest}`)).status).toBe(404)
      const mounted = await call('POST', `team/copy/blobs/uploads/?mount=${digest}&from=team/web`)
      expect(mounted.status).toBe(201)
    }
    const pushed = await call('PUT', 'team/copy/manifests/1.0', image.manifest, { 'Content-Type': imageType })
    expect(pushed.status).toBe(201)
  })

  test('repo ls, repo tags and manifest delete', async () => {
    expect(await registry.json('_catalog?last=team/copy')).toEqual({ repositories: ['team/web'] })
    expect(await registry.json('team/copy/tags/list?last=0')).toEqual({ name: 'team/copy', tags: ['1.0'] })
    expect((await call('DELETE', `team/copy/manifests/${image.digest}`)).status).toBe(202)
  })
})

describe('cosign', () => {
  const tagOf = (suffix: string): string => `${image.digest.replace(':', '-')}.${suffix}`
  /** In one stream, without its length, and the digest when it is over. */
  async function pushStream(content: string): Promise<string> {
    const digest = digestOf(content)
    expect((await call('HEAD', `team/web/blobs/${digest}`)).status).toBe(404)
    const begun = await call('POST', `team/web/blobs/uploads/?mount=${digest}&from=team%2Fweb`)
    expect(begun.status).toBe(202)
    const sent = await fetch(new URL(header(begun, 'location'), registry.base), {
      method: 'PATCH',
      body: new Blob([content]).stream(),
      duplex: 'half',
    } as RequestInit)
    expect(sent.status).toBe(202)
    const location = new URL(header(sent, 'location'), registry.base)
    location.searchParams.set('digest', digest)
    expect((await call('PUT', location.pathname + location.search)).status).toBe(201)
    return digest
  }

  async function sign(payload: string, before: readonly object[]): Promise<void> {
    const layer = await pushStream(payload)
    const config = await pushStream(JSON.stringify({ rootfs: { type: 'layers', diff_ids: [layer] }, payload }))
    const signed = {
      mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
      digest: layer,
      size: payload.length,
      annotations: { 'dev.cosignproject.cosign/signature': 'MEUCIQ' },
    }
    const manifest = {
      schemaVersion: 2,
      mediaType: imageType,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config, size: 1 },
      layers: [...before, signed],
    }
    const pushed = await call('PUT', `team/web/manifests/${tagOf('sig')}`, JSON.stringify(manifest), {
      'Content-Type': imageType,
    })
    expect(pushed.status).toBe(201)
  }

  test('sign puts signatures under a tag with the digest, one after the other; verify reads them there', async () => {
    expect((await call('GET', '/v2/')).status).toBe(200)
    expect((await call('GET', `team/web/manifests/${tagOf('sig')}`, undefined, accepted)).status).toBe(404)
    await sign('{"critical":{"first":true}}', [])
    const { layers } = await registry.json<{ layers: object[] }>(`team/web/manifests/${tagOf('sig')}`)
    await sign('{"critical":{"second":true}}', layers)
    const both = await registry.json<{ layers: { digest: string }[] }>(`team/web/manifests/${tagOf('sig')}`)
    expect(both.layers).toHaveLength(2)
    expect(String(await registry.bytes(`team/web/blobs/${both.layers[1]!.digest}`))).toContain('second')
  })

  test('sign as a referrer: found by the type of its configuration', async () => {
    const config = await registry.pushBlob('team/web', '{"config":1}')
    const type = 'application/vnd.dev.cosign.artifact.sig.v1+json'
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: imageType,
      config: { mediaType: type, digest: config, size: 12 },
      layers: [],
      subject: { mediaType: imageType, digest: image.digest, size: image.manifest.length },
    })
    await registry.pushManifest('team/web', digestOf(manifest), manifest)
    const query = new URLSearchParams({ artifactType: type })
    const { manifests } = await registry.json<{ manifests: object[] }>(`team/web/referrers/${image.digest}?${query}`)
    expect(manifests).toMatchObject([{ digest: digestOf(manifest), artifactType: type }])
  })

  test('clean deletes by tag', async () => {
    expect((await call('DELETE', `team/web/manifests/${tagOf('sig')}`)).status).toBe(202)
    expect((await call('GET', `team/web/manifests/${tagOf('sig')}`)).status).toBe(404)
    expect((await call('GET', 'team/web/manifests/1.0')).status).toBe(200)
  })
})
