import { describe, expect, test } from 'vitest'
import type { ContainerStatus, Pod, PodSpec } from '../generated/models.ts'
import { validatePodSpec } from '../validation/pod-spec.ts'
import { humanDuration } from './cells.ts'
import { podKind } from './pod.ts'
import { podRow } from './pod-row.ts'

const nowMs = Date.parse('2026-01-01T00:10:00Z')

function pod(
  status: Partial<Pod['status']>,
  spec: Partial<Pod['spec']> = {},
  metadata: Partial<Pod['metadata']> = {},
): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'p',
      namespace: 'n',
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...metadata,
    },
    spec: {
      containers: [
        { name: 'a', image: 'x' },
        { name: 'b', image: 'y' },
      ],
      nodeName: 'node',
      ...spec,
    },
    status,
  }
}

const container = (
  name: string,
  state: ContainerStatus['state'],
  more: Partial<ContainerStatus> = {},
): ContainerStatus => ({ name, image: '', imageID: '', ready: false, restartCount: 0, state, ...more })
const running = (name: string): ContainerStatus => container(name, { running: {} }, { ready: true })

describe('the row of kubectl get pods', () => {
  test.each<[string, Pod, string[]]>([
    ['pending', pod({ phase: 'Pending' }), ['0/2', 'Pending', '0']],
    ['running', pod({ phase: 'Running', containerStatuses: [running('a'), running('b')] }), ['2/2', 'Running', '0']],
    [
      'crashing',
      pod({
        phase: 'Running',
        containerStatuses: [
          running('a'),
          container(
            'b',
            { waiting: { reason: 'CrashLoopBackOff' } },
            { restartCount: 3, lastState: { terminated: { exitCode: 1, finishedAt: '2026-01-01T00:08:00Z' } } },
          ),
        ],
      }),
      ['1/2', 'CrashLoopBackOff', '3 (2m ago)'],
    ],
    [
      'completed',
      pod(
        {
          phase: 'Succeeded',
          containerStatuses: [container('a', { terminated: { exitCode: 0, reason: 'Completed' } })],
        },
        { containers: [{ name: 'a' }] },
      ),
      ['0/1', 'Completed', '0'],
    ],
    [
      'failed without a reason',
      pod(
        { phase: 'Failed', containerStatuses: [container('a', { terminated: { exitCode: 3 } })] },
        { containers: [{ name: 'a' }] },
      ),
      ['0/1', 'ExitCode:3', '0'],
    ],
    [
      'half completed',
      pod({
        phase: 'Running',
        containerStatuses: [container('a', { terminated: { exitCode: 0, reason: 'Completed' } }), running('b')],
      }),
      ['1/2', 'NotReady', '0'],
    ],
    [
      'initializing',
      pod(
        { phase: 'Pending', initContainerStatuses: [container('i', { running: {} })] },
        { initContainers: [{ name: 'i' }, { name: 'j' }] },
      ),
      ['0/2', 'Init:0/2', '0'],
    ],
    [
      'failing to initialize',
      pod(
        { phase: 'Pending', initContainerStatuses: [container('i', { terminated: { exitCode: 1, reason: 'Error' } })] },
        { initContainers: [{ name: 'i' }] },
      ),
      ['0/2', 'Init:Error', '0'],
    ],
    [
      'terminating',
      pod(
        { phase: 'Running', containerStatuses: [running('a'), running('b')] },
        {},
        { deletionTimestamp: '2026-01-01T00:09:00Z' },
      ),
      ['2/2', 'Terminating', '0'],
    ],
    ['evicted', pod({ phase: 'Failed', reason: 'Evicted' }), ['0/2', 'Evicted', '0']],
    [
      'gated',
      pod({ phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] }),
      ['0/2', 'SchedulingGated', '0'],
    ],
  ])('%s', (_, given, expected) => expect(podRow(given, nowMs).slice(1, 4)).toEqual(expected))
})

test.each([
  [0, '0s'],
  [119, '119s'],
  [120, '2m'],
  [330, '5m30s'],
  [660, '11m'],
  [3 * 3600, '3h'],
  [3 * 3600 + 60, '3h1m'],
  [47 * 3600, '47h'],
  [123 * 3600, '5d3h'],
  [20 * 86_400, '20d'],
  [800 * 86_400, '2y70d'],
])('%i seconds are %s', (seconds, text) => expect(humanDuration(seconds * 1000)).toBe(text))

describe('ports on the network of the host', () => {
  const spec = (port: object): PodSpec =>
    ({ hostNetwork: true, containers: [{ name: 'c', image: 'i', ports: [port] }] }) as PodSpec
  const problems = (port: object, isTemplate: boolean): string[] =>
    validatePodSpec(spec(port), 'spec', isTemplate)
      .filter(({ field }) => field.endsWith('hostPort'))
      .map(({ field, message }) => `${field}: ${message}`)
  const mismatch = (port: number): string =>
    `spec.containers[0].ports[0].hostPort: Invalid value: ${port}: must match \`containerPort\` when \`hostNetwork\` is true`

  test('may be left out in a template: the pod gets them', () => {
    expect(problems({ containerPort: 80 }, true)).toEqual([])
    expect(problems({ containerPort: 80, hostPort: 81 }, true)).toEqual([mismatch(81)])
  })

  test('are those of the container', () => {
    expect(problems({ containerPort: 80, hostPort: 80 }, false)).toEqual([])
    expect(problems({ containerPort: 80 }, false)).toEqual([mismatch(0)])
  })
})

test('only pods that run somewhere get time to end', () => {
  const grace = podKind.gracePeriodSeconds!
  expect(grace(pod({ phase: 'Pending' }, { nodeName: undefined }), undefined)).toBe(0)
  expect(grace(pod({ phase: 'Failed' }), 10)).toBe(0)
  expect(grace(pod({ phase: 'Running' }, { terminationGracePeriodSeconds: 30 }), undefined)).toBe(30)
  expect(grace(pod({ phase: 'Running' }), 5)).toBe(5)
})

describe('updates', () => {
  const old = pod({ phase: 'Running' }, { terminationGracePeriodSeconds: 30 })
  const update = (change: (draft: Pod) => void): string[] => {
    const draft = structuredClone(old)
    change(draft)
    return podKind.validateUpdate!(draft, old).map(error => `${error.field}: ${error.message.split('\n')[0]}`)
  }
  test('a new image and an added toleration are fine', () => {
    expect(
      update(draft => {
        draft.spec.containers[0]!.image = 'other'
        draft.spec.tolerations = [{ key: 'a', operator: 'Exists' }]
      }),
    ).toEqual([])
  })
  test('anything else is not', () => {
    expect(
      update(draft => {
        draft.spec.terminationGracePeriodSeconds = 5
      }),
    ).toEqual([expect.stringMatching(/^spec: Forbidden: pod updates may not change fields other than/)])
    expect(
      update(draft => {
        draft.spec.containers.pop()
      }),
    ).toEqual(['spec.containers: Forbidden: pod updates may not add or remove containers'])
  })
})

test.each([
  ['.', true],
  ['example.org.', true],
  ['_sip._tcp.my_domain.org', true],
  ['', false],
  ['..', false],
  ['a b', false],
  ['__a', false],
])('names may be looked for in the domain "%s": %s', (search, isAllowed) => {
  const { spec } = pod({}, { dnsPolicy: 'None', dnsConfig: { nameservers: ['10.0.0.1'], searches: [search] } })
  const fields = validatePodSpec(spec, 'spec').map(({ field }) => field)
  expect(fields.includes('spec.dnsConfig.searches[0]')).toBe(!isAllowed)
})
