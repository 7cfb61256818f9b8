// What a deployment with sidecars is made of, from the manifest to the parts.
import { expect, test } from 'vitest'
import { plainManifest } from '../../testing/memory-delivery.ts'
import { MemoryEngine } from '../engine/memory/memory-engine.ts'
import type { Manifest, ManifestSidecar } from '../manifest/manifest.ts'
import { readManifest } from '../manifest/read-manifest.ts'
import { planDeployment } from '../plan/plan-deployment.ts'
import { entryOf } from '../plan/bundles.ts'
import { backingService } from '../services/backing-services.ts'
import { readTeam } from '../team/read-team.ts'
import { gather } from './gather.ts'

const plain: Omit<ManifestSidecar, 'name'> = {
  health: undefined,
  command: [],
  environment: {},
  files: [],
  secrets: [],
  resources: {},
  security: { root: false, capabilities: [], readOnlyRoot: false },
}
const manifest: Manifest = {
  ...plainManifest,
  files: [{ path: '/etc/rules.json', source: './rules.json' }],
  secrets: ['PARTNER_TOKEN'],
  environment: { MODE: { value: 'test' } },
  sidecars: [
    { ...plain, name: 'metrics', command: ['node', 'metrics.js'], secrets: ['METRICS_TOKEN'] },
    { ...plain, name: 'proxy', image: 'envoy:1.30', files: [{ path: '/etc/rules.json', source: './proxy.json' }] },
  ],
}

const sources = () => ({
  engine: new MemoryEngine(),
  place: { environment: 'test', namespace: 'test', service: 'hcn' },
  present: undefined,
  load: () => Promise.reject(new Error('there is none')),
  external: () => undefined,
  password: () => 'secret',
})

test('files that no engine keeps are told before anything is changed', async () => {
  const gathered = gather({ ...plainManifest, files: manifest.files }, '1.0.0', {
    ...sources(),
    image: async reference => ({ reference }),
    readFile: async () => Buffer.alloc(1_048_577),
    secrets: async () => new Map(),
  })
  await expect(gathered).rejects.toThrow('files: expected at most 1024 KiB altogether, found 1025; put large ones')
})

test.each([
  ['registry: registry.example.com/shop', 'postgres: true', 'registry.example.com/shop/postgres:17'],
  [
    'registry: registry.example.com/shop',
    'postgres: { image: "postgres:16" }',
    'registry.example.com/shop/postgres:16',
  ],
  [
    'registry: registry.example.com/shop',
    'postgres: { image: "docker.io/library/postgres:17" }',
    'docker.io/library/postgres:17',
  ],
  ['domain: example.com', 'postgres: true', 'postgres:17'],
])('with %s, %s comes from %s', async (team, line, image) => {
  const inTeam = readTeam('sampan.yml', `${team}\nenvironments: { test: {} }`)
  const { services } = await gather(readManifest('app.yml', `name: hcn\n${line}`, 'test', inTeam), '1.0.0', {
    ...sources(),
    load: backingService,
    image: async reference => ({ reference }),
    readFile: async () => Buffer.alloc(0),
    secrets: async () => new Map(),
  })
  expect(services[0]!.server!.process.image).toBe(image)
})

test('a sidecar has the image that it names or that of the service, and files and secrets of its own', async () => {
  const materials = await gather(manifest, '1.0.0', {
    ...sources(),
    image: async reference => ({ reference: `${reference}@digest` }),
    readFile: async source => Buffer.from(`content of ${source}`),
    secrets: async names => new Map(names.map(name => [name, `value of ${name}`])),
  })
  const { parts, bundles } = planDeployment({
    sharing: 'instances',
    manifest,
    version: '1.0.0',
    revision: 1,
    materials,
    present: undefined,
    observed: { workloads: [], entrances: [], schedules: [], routes: [] },
    timeLimitSeconds: 60,
  })
  const workload = parts.find(part => part.kind === 'workload')!
  const [files, secrets] = [materials.files!, materials.secrets!]
  const version = { SERVICE_VERSION: { value: '1.0.0' } }
  expect(workload.process).toMatchObject({
    image: 'sampan.local/hcn:1.0.0@digest',
    variables: { ...version, MODE: { value: 'test' }, PARTNER_TOKEN: { secret: secrets.name, key: 'PARTNER_TOKEN' } },
  })
  expect(workload.beside).toMatchObject([
    {
      name: 'metrics',
      process: {
        image: 'sampan.local/hcn:1.0.0@digest',
        command: ['node', 'metrics.js'],
        variables: { ...version, METRICS_TOKEN: { secret: secrets.name, key: 'METRICS_TOKEN' } },
      },
    },
    { name: 'proxy', process: { image: 'envoy:1.30@digest', variables: version } },
  ])
  const contents = [workload.process, workload.beside![1]!.process].map(({ files: [file] }) =>
    entryOf(files, file!.key),
  )
  expect(contents).toEqual(['content of ./rules.json', 'content of ./proxy.json'])
  expect(bundles).toEqual([files.name, secrets.name])
})

test('the secret of a login is a bundle of its own, which no process has and the route names', async () => {
  const team = readTeam(
    'sampan.yml',
    'oidc: { issuer: https://login.example.com, clientId: shop, clientSecret: LOGIN }\nenvironments: { test: {} }',
  )
  const text = `name: hcn
ports: { http: 80 }
secrets: [TOKEN]
routes: [{ host: a, auth: oidc, groups: [staff] }, { host: b, auth: oidc }, { host: c }]`
  const wished = readManifest('app.yml', text, 'test', team)
  const materials = await gather(wished, '1.0.0', {
    ...sources(),
    image: async reference => ({ reference }),
    readFile: async () => Buffer.alloc(0),
    secrets: async names => new Map(names.map(name => [name, `value of ${name}`])),
  })
  const { parts, bundles } = planDeployment({
    sharing: 'instances',
    manifest: wished,
    version: '1.0.0',
    revision: 1,
    materials,
    present: undefined,
    observed: { workloads: [], entrances: [], schedules: [], routes: [] },
    timeLimitSeconds: 300,
  })
  const bundle = materials.logins!['LOGIN']!
  expect([bundle.secret, entryOf(bundle, 'client-secret')]).toEqual([true, 'value of LOGIN'])
  expect(Object.keys(materials.secrets!.entries)).toEqual(['TOKEN'])
  const logins = parts.flatMap(part => (part.kind === 'route' ? [part.access?.authentication] : []))
  expect(logins).toMatchObject([{ kind: 'login', secret: bundle.name }, { secret: bundle.name }, undefined])
  expect(bundles).toContain(bundle.name)
  expect(JSON.stringify(parts)).not.toContain('value of LOGIN')
})
