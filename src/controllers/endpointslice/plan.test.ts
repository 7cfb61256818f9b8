import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EndpointSlice, Pod, Service } from '../../api/generated/models.ts'
import { planSlices } from './plan.ts'
import type { SlicePlan } from './plan.ts'

const meta = (name: string) => ({ name, namespace: 'n', uid: name, resourceVersion: '1', creationTimestamp: '' })

const service = (spec: Partial<Service['spec']> = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: meta('svc'),
  spec: {
    type: 'ClusterIP',
    clusterIP: '10.0.0.1',
    selector: { app: 'x' },
    ports: [{ port: 80, targetPort: 'http', protocol: 'TCP' }],
    ...spec,
  },
  status: {},
})

function pod(
  name: string,
  {
    ready = true,
    terminating = false,
    containerPort = 8080,
    phase = 'Running',
  }: { ready?: boolean; terminating?: boolean; containerPort?: number; phase?: string } = {},
): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...meta(name),
      labels: { app: 'x' },
      ...(terminating && { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    },
    spec: { nodeName: 'node', containers: [{ name: 'c', ports: [{ name: 'http', containerPort, protocol: 'TCP' }] }] },
    status: { phase, podIP: `10.1.${name}`, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  }
}

/** What the API makes of a plan. */
function apply(slices: readonly EndpointSlice[], plan: SlicePlan): EndpointSlice[] {
  const changed = new Map(plan.update.map(({ slice, content }) => [slice, content]))
  const kept = slices
    .filter(slice => !plan.remove.includes(slice))
    .map(slice => {
      const content = changed.get(slice)
      return content === undefined
        ? slice
        : Object.assign({ ...slice }, { ports: [...content.ports], endpoints: content.endpoints })
    })
  const made = plan.create.map((content, index): EndpointSlice => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...meta(`s${slices.length}-${index}`), labels: content.labels },
    addressType: content.addressType,
    ports: [...content.ports],
    endpoints: content.endpoints,
  }))
  return [...kept, ...made]
}

const plan = (given: Service, pods: readonly Pod[], slices: readonly EndpointSlice[] = []) =>
  planSlices({ service: given, pods, slices, zoneOf: () => 'zone' })
const isNothing = ({ create, update, remove }: SlicePlan): boolean =>
  create.length + update.length + remove.length === 0

describe('conditions', () => {
  test.each([
    ['ready', {}, {}, { ready: true, serving: true, terminating: false }],
    ['not ready', { ready: false }, {}, { ready: false, serving: false, terminating: false }],
    ['ending but answering', { terminating: true }, {}, { ready: false, serving: true, terminating: true }],
    [
      'published before it is ready',
      { ready: false },
      { publishNotReadyAddresses: true },
      { ready: true, serving: false, terminating: false },
    ],
  ])('%s', (_, state, spec, expected) => {
    expect(plan(service(spec), [pod('0.1', state)]).create[0]!.endpoints[0]!.conditions).toEqual(expected)
  })
})

test('finished pods and pods without an address are left out; an empty slice shows the service', () => {
  const addressless = pod('0.2')
  const { create } = plan(service(), [
    pod('0.1', { phase: 'Succeeded' }),
    Object.assign(addressless, { status: { ...addressless.status, podIP: undefined } }),
  ])
  expect(create.map(({ endpoints, ports }) => [endpoints, ports])).toEqual([[[], []]])
})

test('pods with another number behind the port name get a slice of their own', () => {
  const { create } = plan(service(), [pod('0.1'), pod('0.2', { containerPort: 9090 })])
  expect(create.map(({ ports }) => ports[0]!.port).sort((a, b) => a - b)).toEqual([8080, 9090])
})

test('headless services are marked, and everything says whose it is', () => {
  expect(plan(service({ clusterIP: 'None' }), [pod('0.1')]).create[0]!.labels).toEqual({
    'service.kubernetes.io/headless': '',
    'kubernetes.io/service-name': 'svc',
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
  })
})

test('whatever comes and goes, every pod is in exactly one slice of at most a hundred, and the next plan is empty', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { maxLength: 350 }), { minLength: 1, maxLength: 5 }),
      rounds => {
        let slices: EndpointSlice[] = []
        for (const round of rounds) {
          const pods = round.map(index => pod(`${index >> 8}.${index & 255}`))
          slices = apply(slices, plan(service(), pods, slices))
          expect(slices.every(slice => slice.endpoints!.length <= 100)).toBe(true)
          expect(slices.flatMap(slice => slice.endpoints!.map(endpoint => endpoint.targetRef!.name!)).sort()).toEqual(
            pods.map(one => one.metadata.name).sort(),
          )
          expect(isNothing(plan(service(), pods, slices))).toBe(true)
        }
      },
    ),
    { numRuns: 40 },
  )
})
