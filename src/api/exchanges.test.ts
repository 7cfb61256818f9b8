// The recorded exchanges of a real API server, where they lie beside the repository: patches, ownership
// and decoding must come to what it answered.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { ApiError } from './api-error.ts'
import { decodeObject } from './decode.ts'
import type { KubeObject } from './object.ts'
import { difference, pathsOf, type FieldSet } from './managed-fields/field-set.ts'
import { recordUpdate } from './managed-fields/record-update.ts'
import { checkConfiguration, serverSideApply } from './managed-fields/server-side-apply.ts'
import { modelNames, modelOf } from './schema/schema.ts'

interface Exchange {
  name: string
  request: { method: string; path: string; contentType?: string; body?: unknown }
  response?: { status: number; body: KubeObject & { message?: string } }
}

const candidates = [
  '../../../shared/reference/exchanges-1.26.jsonl',
  '../../../../shared/reference/exchanges-1.26.jsonl',
].map(path => fileURLToPath(new URL(path, import.meta.url)))
const file = candidates.find(path => existsSync(path))
if (file === undefined) console.log('exchanges.test.ts: the recorded exchanges are not on this machine, skipped')
const exchanges =
  file === undefined
    ? []
    : readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as Exchange)
const answered = exchanges.filter((exchange): exchange is Required<Exchange> => exchange.response !== undefined)

const models = new Map(
  modelNames()
    .map(modelOf)
    .filter(model => model.topLevel !== undefined)
    .map(model => {
      const { group, version } = model.topLevel!
      return [`${group === '' ? '' : `${group}/`}${version}/${model.goName}`, model.name]
    }),
)
const modelFor = (object: KubeObject): string | undefined => models.get(`${object.apiVersion}/${object.kind}`)
const bare = (object: KubeObject): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, managedFields: undefined },
})
const named = (name: string): Required<Exchange> => answered.find(exchange => exchange.name === name)!

describe.skipIf(file === undefined)('recorded exchanges', () => {
  const created = answered.filter(
    ({ request, response }) =>
      request.method === 'POST' &&
      response.status === 201 &&
      (response.body.metadata?.managedFields?.length ?? 0) > 0 &&
      modelFor(response.body) !== undefined,
  )

  test.each(created.map(exchange => [exchange.name, exchange] as const))(
    '%s: the creator owns what was recorded',
    (_name, { response: { body } }) => {
      const recorded = body.metadata.managedFields![0]!
      const mine = recordUpdate({
        model: modelFor(body)!,
        before: undefined,
        after: bare(body),
        manager: 'unknown',
        apiVersion: body.apiVersion,
        subresource: '',
        timestamp: recorded.time!,
      })
      // What the server itself adds while it stores (addresses, volumes, finalizers) is not owned there.
      expect(pathsOf(difference(recorded.fieldsV1 as FieldSet, mine![0]!.fieldsV1 as FieldSet))).toEqual([])
    },
  )

  test.each(created.map(exchange => [exchange.name, exchange] as const))(
    '%s: the answer decodes without loss',
    (_name, { response: { body } }) => {
      const unknown = decodeObject(modelFor(body)!, body).unknownFields
      // A status of network policies existed in 1.26 and is gone in 1.36.
      expect(unknown).toEqual(body.kind === 'NetworkPolicy' ? ['status'] : [])
    },
  )

  const unmask = (object: KubeObject): unknown =>
    object.metadata.managedFields
      ?.filter(entry => entry.manager !== 'kube-controller-manager')
      .map(({ manager, fieldsV1, operation, subresource }) => ({ manager, fieldsV1, operation, subresource }))
      .sort((a, b) => a.manager!.localeCompare(b.manager!))
  test.each([
    ['apply drops annotation', 'apply shares nothing', 'three', false],
    ['apply removes and adds', 'apply drops annotation', 'one', true],
  ] as const)('%s', (name, previous, manager, force) => {
    const { request, response } = named(name)
    const result = serverSideApply({
      model: 'V1Deployment',
      live: named(previous).response.body,
      applied: checkConfiguration(request.body, 'V1Deployment'),
      manager,
      force,
      apiVersion: 'apps/v1',
      subresource: '',
      timestamp: 't',
    })
    expect(unmask(result)).toEqual(unmask(response.body))
  })

  test('apply conflict', () => {
    const { request, response } = named('apply conflict')
    const run = (): unknown =>
      serverSideApply({
        model: 'V1Deployment',
        live: named('apply same').response.body,
        applied: checkConfiguration(request.body, 'V1Deployment'),
        manager: 'two',
        force: false,
        apiVersion: 'apps/v1',
        subresource: '',
        timestamp: 't',
      })
    expect(run).toThrow(ApiError)
    expect(run).toThrow(response.body.message)
  })

  test('update after apply', () => {
    const { response } = named('update after apply')
    const result = recordUpdate({
      model: 'V1Deployment',
      before: named('apply removes and adds').response.body,
      after: bare(response.body),
      manager: 'upd',
      apiVersion: 'apps/v1',
      subresource: '',
      timestamp: 't',
    })
    expect(unmask({ ...response.body, metadata: { ...response.body.metadata, managedFields: result } })).toEqual(
      unmask(response.body),
    )
  })
})
