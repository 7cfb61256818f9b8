import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../../api/object.ts'
import { differencesOf } from './differences.ts'

const metadata = { name: 'hcn', namespace: 'n', uid: 'u', resourceVersion: '1', creationTimestamp: '' }
const container = {
  name: 'hcn',
  image: 'hcn:1',
  env: [{ name: 'LEVEL', value: 'info' }],
  ports: [{ containerPort: 80, name: 'http' }],
}
const deployment = (more: object = {}, spec: object = {}): KubeObject =>
  ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: { replicas: 2, template: { spec: { containers: [{ ...container, ...more }] } }, ...spec },
    status: { replicas: Math.random() },
  }) as unknown as KubeObject

describe('what is and what is wanted', () => {
  test('are alike whatever the cluster noted beside it, in any order', () => {
    const other = deployment()
    other.metadata = { ...metadata, resourceVersion: '9', generation: 4 }
    expect(differencesOf(deployment(), other)).toEqual([])
    const ports = [{ name: 'admin', containerPort: 81 }, ...container.ports]
    expect(differencesOf(deployment({ ports }), deployment({ ports: ports.toReversed() }))).toEqual([])
  })

  test.each([
    [{}, { replicas: 3 }, { field: 'instances', is: '2', wanted: '3' }],
    [{ image: 'hcn:2' }, {}, { field: 'process.image', is: 'hcn:1', wanted: 'hcn:2' }],
    [{ command: ['a', 'b'] }, {}, { field: 'process.command', is: 'none', wanted: 'a b' }],
    [{ env: [] }, {}, { field: 'process.variables.LEVEL', is: '"info"', wanted: 'none' }],
    [{ resources: { limits: { cpu: '2' } } }, {}, { field: 'process.resources.cpuLimit', is: 'none', wanted: '2' }],
    [
      { readinessProbe: { httpGet: { path: '/', port: 'http' } } },
      {},
      { field: 'health', is: 'none', wanted: '/ http' },
    ],
    [{}, { paused: true }, { field: 'spec.paused', is: 'none', wanted: 'true' }],
  ])('differ in the words of parts: %j %j', (more, spec, difference) => {
    expect(differencesOf(deployment(), deployment(more, spec))).toEqual([difference])
  })

  test('never tell the value that took the place of a secret', () => {
    const secret = { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'hcn-secrets-1', key: 'TOKEN' } } }
    const open = deployment({ env: [{ name: 'TOKEN', value: 'hunter2' }] })
    const [difference] = differencesOf(open, deployment({ env: [secret] }))
    expect(difference).toEqual({
      field: 'process.variables.TOKEN',
      is: 'a plain value',
      wanted: 'hcn-secrets-1 TOKEN',
    })
  })
})
