import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { FakeClock } from '../../testing/fake-clock.ts'
import { renderCommand } from './render.ts'

const folder = mkdtempSync(join(tmpdir(), 'sampan-render-'))
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => void vi.restoreAllMocks())

test('prints all objects of a service, and no secret', async () => {
  const file = join(folder, 'app.yml')
  writeFileSync(join(folder, 'rules.json'), '{"a":1}')
  writeFileSync(
    file,
    `name: hcn
ports: { http: 3000 }
replicas: 2
postgres: true
files: { /etc/rules.json: rules.json }
secrets: [TOKEN]
routes: [{ host: hcn, path: /api }]
schedules: { sync: { every: PT30M, run: node sync.js } }
`,
  )
  const printed = vi.spyOn(console, 'log').mockReturnValue()
  await renderCommand(['hcn:1.0.0'], { environment: 'test', file, output: 'json', clock: new FakeClock() })
  const { items } = JSON.parse(printed.mock.calls[0]![0] as string) as {
    items: { apiVersion: string; kind: string; metadata: { name: string; namespace: string } }[]
  }
  expect(items.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`).toSorted()).toEqual([
    'apps/v1 Deployment',
    'apps/v1 StatefulSet',
    'batch/v1 CronJob',
    'networking.k8s.io/v1 Ingress',
    'policy/v1 PodDisruptionBudget',
    'v1 ConfigMap',
    'v1 Secret',
    'v1 Secret',
    'v1 Secret',
    'v1 Service',
    'v1 Service',
  ])
  expect(new Set(items.map(({ metadata }) => metadata.namespace))).toEqual(new Set(['test']))
})
