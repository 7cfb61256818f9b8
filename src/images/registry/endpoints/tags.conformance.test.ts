// Demands of the distribution specification on lists of tags, by their names there.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { header, ownRepository } from '../../../testing/conformance.ts'
import { codeOf, RegistryFixture } from '../../../testing/registry-fixture.ts'

let registry: RegistryFixture
beforeAll(async () => {
  registry = await RegistryFixture.start()
})
afterAll(() => registry.close())
const call: RegistryFixture['call'] = (...request) => registry.call(...request)

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
