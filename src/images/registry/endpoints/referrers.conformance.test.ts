// Demands of the distribution specification on lists of referrers, by their names there.
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

  test('end-12a: n limits, more than fit come in pages, and Link leads to the next with the same filter', async () => {
    const { repository, subject } = await withSubject()
    const long = { about: 'x'.repeat(1_500_000) }
    for (const number of [1, 2, 3, 4])
      await registry.pushManifest(
        repository,
        `t${number}`,
        JSON.stringify(
          artifactOf({
            ...about(subject),
            artifactType: 'application/vnd.a',
            annotations: { ...long, number: String(number) },
          }),
        ),
      )
    const pages = async (query: string): Promise<number[]> => {
      const counts: number[] = []
      for (
        let next: string | undefined = `${repository}/referrers/${subject}?artifactType=application/vnd.a${query}`;
        next;
      ) {
        const response = await call('GET', next)
        counts.push(((await response.json()) as Listed).manifests.length)
        expect(header(response, 'oci-filters-applied')).toBe('artifactType')
        next = /^<([^>]+)>; rel="next"$/.exec(header(response, 'link') ?? '')?.[1]
      }
      return counts
    }
    expect(await pages('')).toEqual([2, 2])
    expect(await pages('&n=3')).toEqual([2, 2])
    expect(await pages('&n=1')).toEqual([1, 1, 1, 1])
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
