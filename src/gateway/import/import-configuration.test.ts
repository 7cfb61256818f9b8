// What becomes of files of other gateways: whole files beside what is made of them, and what is wrong with a file.
// `vitest run --project unit src/gateway/import --update` writes the results anew.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { KubeObject, New } from '../../api/object.ts'
import * as resources from '../../api/gateway-api/resources.ts'
import type { Resource } from '../../api/resource.ts'
import { configMaps, endpointSlices, namespaces, secrets, services } from '../../api/resources.ts'
import { machineClock } from '../../host/machine-clock.ts'
import { silentLogger } from '../../lib/logger.ts'
import { yamlText } from '../../lib/yaml-text.ts'
import { startTestServer, type TestServer } from '../../testing/in-process-server.ts'
import { installKinds } from '../install-kinds.ts'
import { importConfiguration, type ImportedConfiguration, type SourceFormat } from './import-configuration.ts'
import { reportText } from './report.ts'

const folder = join(import.meta.dirname, 'samples')
const samples = readdirSync(folder).filter(name => !name.endsWith('.txt'))
const parent = { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'kube-system', name: 'sampan' }

const imported = (text: string, from?: SourceFormat): ImportedConfiguration =>
  importConfiguration([{ name: 'it', text }], { namespace: 'shop', parent, ...(from !== undefined && { from }) })
const sample = (name: string): string => readFileSync(join(folder, name), 'utf8')

describe('a file', () => {
  test.each(samples)('%s', async name => {
    const { objects, report } = imported(sample(name))
    const text = `${reportText(report)}\n\n${objects.map(object => `---\n${yamlText(object)}`).join('')}`
    await expect(text).toMatchFileSnapshot(join(folder, `${name}.txt`))
  })

  test.each(samples)('%s has no secret in its report', name => {
    const text = reportText(imported(sample(name)).report)
    for (const secret of [
      'secret-key',
      'plain-password',
      'shared-secret',
      'hunter2',
      'topsecret',
      'private-key',
      'secret-token',
      '9b1db',
      '$5$',
    ])
      expect(text).not.toContain(secret)
  })
})

describe('a cluster', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer()
    await installKinds({ client: server.local, clock: machineClock, logger: silentLogger })
    for (const name of ['shop', ...samples.map(each => each.replaceAll(/[^a-z0-9]/g, '-'))])
      await server.local.create(namespaces, { metadata: { name } })
  })
  afterAll(() => server.close())
  const byKind = new Map<string, Resource>(
    ([...Object.values(resources), configMaps, endpointSlices, secrets, services] as readonly Resource[]).map(each => [
      each.kind,
      each,
    ]),
  )

  test.each(samples)('takes all that is made of %s as it is', async name => {
    const namespace = name.replaceAll(/[^a-z0-9]/g, '-')
    const { objects } = importConfiguration([{ name, text: sample(name) }], { namespace, parent })
    for (const object of objects as New<KubeObject>[]) {
      const created = await server.local.create(byKind.get(object.kind!)!, object as never)
      // What a definition does not know is gone without a word.
      const { stringData: _stringData, ...rest } = object as { readonly stringData?: unknown }
      expect(created).toMatchObject(rest)
    }
  })
})

describe('nothing is made of', () => {
  test.each<[string, string, string | RegExp]>([
    ['broken YAML', 'services: [', /^expected YAML or JSON in it, found what is none: line 1/],
    ['an empty file', '', 'expected the configuration of Kong or applications of Marathon in it, found nothing'],
    ['something else', 'apiVersion: v1\nkind: Pod', /found apiVersion, kind; write it by deck gateway dump/],
    ['a text', 'hello', /found a text; write it/],
    ['a list of something else', '[1, 2]', /found a list of other things/],
    [
      'both at once',
      'services: []\nid: /web\ncmd: run',
      /^expected one of both in it, found lists of Kong \(services\) .*--from kong or --from marathon$/,
    ],
  ])('%s', (_what, text, message) => {
    expect(() => imported(text)).toThrow(message)
  })

  test('both at once, until somebody says which it is', () => {
    expect(imported('services: [{ name: a, host: 10.0.0.1 }]\nid: /web\ncmd: run', 'kong').objects).toHaveLength(2)
  })
})

test('several files of one Kong belong together, and Marathon may stand beside them', () => {
  const { objects } = importConfiguration(
    [
      { name: 'services', text: 'services: [{ name: a, host: pool }]\nroutes: [{ name: r, service: a, paths: [/a] }]' },
      { name: 'upstreams', text: 'upstreams: [{ name: pool, targets: [{ target: "10.0.0.1:80" }] }]' },
      { name: 'apps', text: '[{ "id": "/a", "labels": { "HAPROXY_GROUP": "x", "HAPROXY_0_VHOST": "a.test" } }]' },
    ],
    { namespace: 'shop', parent },
  )
  expect((objects as KubeObject[]).map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
    'Service a',
    'EndpointSlice a-1',
    'HTTPRoute r',
    'HTTPRoute a',
  ])
})
