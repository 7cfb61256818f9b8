// What the many conformance tests "should support X API operations" and "should run through the lifecycle
// of an X" demand, once: discovery, create, get, list, watch, patch, update, status, delete, delete as a
// collection. A kind is a row of a table.
import { expect } from 'vitest'
import { resource, type Scope } from '../../src/api/resource.ts'
import { allKinds } from '../../src/api/kinds/all.ts'
import type { Api, Json } from './api.ts'

export interface Operations {
  readonly group: string
  readonly version?: string
  readonly plural: string
  /** What an object holds beside its metadata. */
  readonly object: (index: number, namespace: string) => object
  /** For kinds whose names mean something. */
  readonly name?: (index: number) => string
  /** Merged into `status` through the subresource; must come back, in lists beside what control loops add. */
  readonly status?: object
  /** With some kinds a write of the status leaves the metadata as it is. */
  readonly statusKeepsMetadata?: boolean
  /** Subresources besides status that discovery must show. */
  readonly subresources?: readonly string[]
  /** Changes the content by an update; labels and annotations are changed anyway. */
  readonly change?: object
}

export function rootOf(group: string, version: string): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`
}

function scopeOf({ group, version = 'v1', plural }: Operations): { kind: string; scope: Scope } {
  const kind = allKinds.find(
    one => one.resource.group === group && one.resource.version === version && one.resource.plural === plural,
  )
  return kind === undefined ? resource(group, version, plural, plural) : kind.resource
}

async function checkDiscovery(
  api: Api,
  { group, version = 'v1', plural, status, subresources = [] }: Operations,
): Promise<void> {
  if (group !== '') {
    const groups = (await api.get('/apis')) as { groups: { name: string; versions: { version: string }[] }[] }
    expect(groups.groups.find(one => one.name === group)?.versions.map(one => one.version)).toContain(version)
    expect(await api.get(`/apis/${group}`)).toMatchObject({
      kind: 'APIGroup',
      versions: expect.arrayContaining([expect.objectContaining({ groupVersion: `${group}/${version}` })]),
    })
  }
  const { resources } = (await api.get(rootOf(group, version))) as { resources: { name: string }[] }
  const expected = [
    plural,
    ...subresources.map(name => `${plural}/${name}`),
    ...(status === undefined ? [] : [`${plural}/status`]),
  ]
  expect(resources.map(one => one.name)).toEqual(expect.arrayContaining(expected))
}

async function checkStatus(api: Api, path: string, status: object, keepsMetadata: boolean): Promise<void> {
  expect((await api.get(`${path}/status`)).metadata).toBeDefined()
  const patched = await api.patch(`${path}/status`, { metadata: { annotations: { patchedstatus: 'true' } }, status })
  expect(patched.status).toMatchObject(containing(status))
  expect(patched.metadata.annotations?.patchedstatus).toBe(keepsMetadata ? undefined : 'true')
  const updated = await replace(api, `${path}/status`, object => {
    object.metadata.annotations = { ...object.metadata.annotations, updatedstatus: 'true' }
  })
  expect(updated.status).toMatchObject(containing(status))
  const { annotations = {} } = (await api.get(path)).metadata
  const wanted = keepsMetadata ? undefined : 'true'
  expect([annotations.patchedstatus, annotations.updatedstatus]).toEqual([wanted, wanted])
}

/** Reads, changes and writes, again after a conflict: control loops write too. */
export async function replace(api: Api, path: string, change: (object: Json) => void): Promise<Json> {
  for (;;) {
    const object = await api.get(path)
    change(object)
    const answer = await api.answer('PUT', path, object)
    if (answer.status === 409) continue
    expect(answer.status, answer.text).toBe(200)
    return answer.json
  }
}

/** The whole life of three objects of a kind. */
export async function runOperations(api: Api, operations: Operations): Promise<void> {
  const { group, version = 'v1', plural, object, status, change = {} } = operations
  await checkDiscovery(api, operations)
  const { scope, kind } = scopeOf(operations)
  const root = rootOf(group, version)
  const namespace = scope === 'Namespaced' ? await api.namespace() : ''
  const collection = scope === 'Namespaced' ? `${root}/namespaces/${namespace}/${plural}` : `${root}/${plural}`
  const nameOf = operations.name ?? ((index: number) => `e2e-${plural}-${index}`)
  const selector = 'special-label=e2e'
  const selected = `?labelSelector=${selector}`
  const newObject = (index: number): object => ({
    metadata: { name: nameOf(index), labels: { 'special-label': 'e2e' } },
    ...object(index, namespace),
  })

  const created = await api.post(collection, newObject(0))
  expect(created).toMatchObject({ apiVersion: group === '' ? version : `${group}/${version}`, kind })
  await api.refused(409, 'POST', collection, newObject(0))
  await api.post(collection, newObject(1))
  await api.post(collection, newObject(2))

  const first = `${collection}/${nameOf(0)}`
  expect((await api.get(first)).metadata.uid).toBe(created.metadata.uid)
  const list = await api.get(`${collection}${selected}`)
  expect(list.items).toHaveLength(3)
  if (scope === 'Namespaced')
    expect(
      (await api.items(`${root}/${plural}`, selector)).filter(
        item => item.metadata.namespace === created.metadata.namespace,
      ),
    ).toHaveLength(3)
  const watch = await api.watch(collection, `${selected}&resourceVersion=${list.metadata.resourceVersion}`)

  const patched = await api.patch(first, { metadata: { annotations: { patched: 'true' } } })
  expect(patched.metadata.annotations.patched).toBe('true')
  await watch.next('MODIFIED', seen => seen.metadata.annotations?.patched === 'true')
  const updated = await replace(api, first, current => {
    current.metadata.annotations.updated = 'true'
    Object.assign(current, mergedInto(current, change))
  })
  expect(updated).toMatchObject({ ...change, metadata: { annotations: { patched: 'true', updated: 'true' } } })
  await watch.next('MODIFIED', seen => seen.metadata.annotations?.updated === 'true')
  if (status !== undefined) await checkStatus(api, first, status, operations.statusKeepsMetadata === true)

  await api.delete(first)
  await api.gone(first)
  await watch.next('DELETED', seen => seen.metadata.name === nameOf(0))
  expect(await api.items(collection, selector)).toHaveLength(2)
  await api.delete(`${collection}${selected}`)
  for (const index of [1, 2]) await api.gone(`${collection}/${nameOf(index)}`)
  expect(await api.items(collection, selector)).toHaveLength(0)
  watch.close()
}

/** What matches objects whose lists hold at least these items. */
function containing(expected: object): object {
  return Object.fromEntries(
    Object.entries(expected).map(([key, value]) => [
      key,
      Array.isArray(value) ? (expect.arrayContaining(value) as unknown) : (value as unknown),
    ]),
  )
}

function mergedInto(target: Json, change: Json): Json {
  if (typeof change !== 'object' || change === null || Array.isArray(change) || typeof target !== 'object')
    return change
  return {
    ...target,
    ...Object.fromEntries(
      Object.entries(change as object).map(([key, value]) => [key, mergedInto(target[key], value)]),
    ),
  }
}
