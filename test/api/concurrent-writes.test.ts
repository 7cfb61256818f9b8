// Writers that meet on one object: patches without a precondition all arrive, a stale revision is refused.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isConflict } from '../../src/api/api-error.ts'
import { configMaps } from '../../src/api/resources.ts'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

const writers = 6
const meeting = { namespace: 'default', name: 'meeting' }

test('patches of every kind, all at once', async () => {
  await server.local.create(configMaps, { metadata: meeting, data: { first: '' } })
  await Promise.all(
    Array.from({ length: writers }, (_unused, index) => [
      server.local.patch(
        configMaps,
        meeting,
        {
          type: 'apply',
          value: { apiVersion: 'v1', kind: 'ConfigMap', metadata: meeting, data: { [`apply-${index}`]: '' } },
          force: true,
        },
        { fieldManager: `writer-${index}` },
      ),
      server.local.patch(configMaps, meeting, { type: 'merge', value: { data: { [`merge-${index}`]: '' } } }),
      server.local.patch(configMaps, meeting, {
        type: 'json',
        operations: [{ op: 'add', path: `/data/json-${index}`, value: '' }],
      }),
    ]).flat(),
  )
  expect(Object.keys((await server.local.get(configMaps, meeting)).data ?? {})).toHaveLength(1 + 3 * writers)
})

test('a patch that names an older revision is refused', async () => {
  const {
    metadata: { resourceVersion },
  } = await server.local.get(configMaps, meeting)
  await server.local.patch(configMaps, meeting, { type: 'merge', value: { data: { later: '' } } })
  for (const patch of [
    { type: 'merge', value: { metadata: { resourceVersion }, data: { stale: '' } } },
    {
      type: 'json',
      operations: [
        { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
        { op: 'add', path: '/data/stale', value: '' },
      ],
    },
    {
      type: 'apply',
      value: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...meeting, resourceVersion }, data: { stale: '' } },
      force: true,
    },
  ] as const) {
    const refusal = await server.local.patch(configMaps, meeting, patch).catch((error: unknown) => error)
    expect(isConflict(refusal)).toBe(true)
  }
  expect((await server.local.get(configMaps, meeting)).data).not.toHaveProperty('stale')
})
