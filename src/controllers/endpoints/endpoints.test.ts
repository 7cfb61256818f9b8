import { describe, expect, test } from 'vitest'
import type { Pod, Service } from '../../api/generated/models.ts'
import { planEndpoints } from './endpoints.ts'

const meta = (name: string) => ({ name, namespace: 'n', uid: name, resourceVersion: '1', creationTimestamp: '' })
const service = (spec: Partial<Service['spec']> = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { ...meta('svc'), labels: { team: 'a' } },
  spec: { selector: { app: 'x' }, ports: [{ name: 'web', port: 80, targetPort: 8080 }], ...spec },
  status: {},
})

function pod(name: string, ready: boolean, more: Partial<Pod['spec']> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...meta(name), labels: { app: 'x' } },
    spec: { nodeName: 'node', containers: [], ...more },
    status: {
      phase: 'Running',
      podIP: `10.0.0.${name}`,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  }
}

const target = (name: string) => ({ kind: 'Pod', namespace: 'n', name, uid: name })

test('ready and waiting pods of equal ports form one subset', () => {
  const { subsets, labels } = planEndpoints(service(), [pod('2', true), pod('1', true), pod('3', false)])
  expect(subsets).toEqual([
    {
      addresses: [
        { ip: '10.0.0.1', nodeName: 'node', targetRef: target('1') },
        { ip: '10.0.0.2', nodeName: 'node', targetRef: target('2') },
      ],
      notReadyAddresses: [{ ip: '10.0.0.3', nodeName: 'node', targetRef: target('3') }],
      ports: [{ name: 'web', port: 8080, protocol: 'TCP' }],
    },
  ])
  expect(labels).toEqual({ team: 'a', 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' })
})

describe('headless services', () => {
  test('publish host names and need no ports', () => {
    const { subsets, labels } = planEndpoints(service({ clusterIP: 'None', ports: [] }), [
      pod('1', true, { hostname: 'db-0', subdomain: 'svc' }),
    ])
    expect(subsets).toEqual([
      { addresses: [{ ip: '10.0.0.1', hostname: 'db-0', nodeName: 'node', targetRef: target('1') }] },
    ])
    expect(labels['service.kubernetes.io/headless']).toBe('')
  })
})

test('no more than a thousand addresses, ready ones first, and it is said', () => {
  const pods = Array.from({ length: 1_010 }, (_, index) => pod(`${index}`, index >= 20))
  const { subsets, annotations } = planEndpoints(service(), pods)
  expect([subsets[0]!.addresses!.length, subsets[0]!.notReadyAddresses!.length]).toEqual([990, 10])
  expect(annotations).toEqual({ 'endpoints.kubernetes.io/over-capacity': 'truncated' })
})

test('no pods, no subsets', () => expect(planEndpoints(service(), []).subsets).toEqual([]))
