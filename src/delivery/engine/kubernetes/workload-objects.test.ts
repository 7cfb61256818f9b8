import { describe, expect, test } from 'vitest'
import type { Deployment, StatefulSet } from '../../../api/generated/models.ts'
import type { Process, Workload } from '../parts.ts'
import { cronJobName, labelValue, objectName } from './labels.ts'
import { podOf } from './pod-of.ts'
import { workloadObjects } from './workload-objects.ts'

const process: Process = {
  image: 'sampan.local/hcn:1.0.0@sha256:1',
  command: ['node', 'main.js'],
  variables: {
    PLAIN: { value: 'a' },
    TOKEN: { secret: 'hcn-secrets-1', key: 'TOKEN' },
    LEVEL: { configuration: 'levels', key: 'level' },
  },
  files: [{ path: '/etc/hcn/rules.json', bundle: 'hcn-files-1', key: 'etc.hcn.rules.json', secret: false }],
  resources: { cpu: '0.5', memory: '512Mi' },
  security: { root: false, capabilities: [], readOnlyRoot: false },
}
const workload: Workload = {
  kind: 'workload',
  name: 'hcn',
  service: 'hcn',
  version: '1.0.0',
  track: 'main',
  serving: true,
  instances: 2,
  process,
  ports: [{ name: 'http', port: 3000, protocol: 'TCP' }],
  health: { kind: 'http', path: '/healthz', port: 'http' },
  stopSeconds: 20,
  update: 'rolling',
  spread: true,
  disruptionBudget: true,
}
const objectsOf = (more: Partial<Workload> = {}) => workloadObjects('test', { ...workload, ...more })
const deploymentOf = (more: Partial<Workload> = {}) => objectsOf(more)[0].object as Deployment
const containerOf = (more: Partial<Process> = {}) => podOf('hcn', { ...process, ...more }).containers[0]!

describe('a workload', () => {
  test('is a Deployment and a budget, found by service and track', () => {
    const [main, budget] = objectsOf()
    const { metadata, spec } = main.object as Deployment
    const selector = { 'app.kubernetes.io/name': 'hcn', 'sampan.dev/track': 'main' }
    const marks = { ...selector, 'app.kubernetes.io/managed-by': 'sampan', 'app.kubernetes.io/version': '1.0.0' }
    expect(metadata).toMatchObject({ name: 'hcn', namespace: 'test', labels: marks })
    expect(spec).toMatchObject({
      replicas: 2,
      selector: { matchLabels: selector },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } },
      template: {
        metadata: { labels: { ...marks, 'sampan.dev/serving': 'true' } },
        spec: {
          terminationGracePeriodSeconds: 22,
          topologySpreadConstraints: [{ topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway' }],
          containers: [
            {
              name: 'hcn',
              ports: [{ name: 'http', containerPort: 3000, protocol: 'TCP' }],
              lifecycle: { preStop: { sleep: { seconds: 2 } } },
              readinessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 2 },
              livenessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 10 },
            },
          ],
        },
      },
    })
    expect(spec.minReadySeconds).toBeUndefined()
    expect(budget?.object).toMatchObject({ spec: { maxUnavailable: 1, selector: { matchLabels: selector } } })
  })

  test.each([
    ['one instance has no budget', { instances: 1 }],
    ['none is asked for', { disruptionBudget: false }],
  ])('has no budget: %s', (_why, more) => {
    expect(objectsOf(more)).toHaveLength(1)
  })

  test('that does not serve has no label that says so', () => {
    const { labels } = deploymentOf({ serving: false, track: 'canary' }).spec.template.metadata!
    expect(labels).not.toHaveProperty('sampan.dev/serving')
    expect(labels).toHaveProperty('sampan.dev/track', 'canary')
  })

  test('in development is never started anew for its health', () => {
    const { containers, terminationGracePeriodSeconds } = deploymentOf({ development: true, stopSeconds: 1 }).spec
      .template.spec!
    const [container] = containers
    expect(terminationGracePeriodSeconds).toBe(1)
    expect(container).not.toHaveProperty('lifecycle')
    expect(container).toMatchObject({ readinessProbe: { periodSeconds: 1 } })
    expect(container).not.toHaveProperty('livenessProbe')
  })

  test('without ports and health has to prove itself, and stops at once', () => {
    const { minReadySeconds, template } = deploymentOf({ ports: [], health: undefined }).spec
    expect(minReadySeconds).toBe(5)
    expect(template.spec!.containers[0]).not.toHaveProperty('lifecycle')
  })

  test('keeps the number that an autoscaler chose', () => {
    expect(workloadObjects('test', workload, 7)[0].object).toMatchObject({ spec: { replicas: 7 } })
  })

  test('whose update recreates leaves no two versions side by side', () => {
    expect(deploymentOf({ update: 'recreate' }).spec.strategy).toEqual({ type: 'Recreate' })
  })

  test('with data is a StatefulSet with a claim', () => {
    const storage = { path: '/var/lib/postgresql', size: '1Gi' }
    const user = { ...process, security: { ...process.security, user: 999 } }
    const { spec } = objectsOf({ storage, process: user, track: 'postgres' })[0].object as StatefulSet
    expect(spec).toMatchObject({
      updateStrategy: { type: 'RollingUpdate' },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data', labels: { 'sampan.dev/track': 'postgres' } },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      ],
      template: {
        spec: { securityContext: { fsGroup: 999 }, containers: [{ securityContext: { runAsUser: 999 } }] },
      },
    })
    expect(spec.template.spec!.containers[0]!.volumeMounts).toContainEqual({
      name: 'data',
      mountPath: '/var/lib/postgresql',
    })
  })
})

describe('a process', () => {
  test('is restricted, and what it asks for is added', () => {
    expect(podOf('hcn', process)).toMatchObject({
      enableServiceLinks: false,
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        { securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } },
      ],
    })
    const security = { root: true, user: 0, capabilities: ['NET_BIND_SERVICE'], readOnlyRoot: true }
    expect(podOf('hcn', { ...process, security })).toMatchObject({
      containers: [
        {
          securityContext: {
            runAsNonRoot: false,
            runAsUser: 0,
            readOnlyRootFilesystem: true,
            capabilities: { add: ['NET_BIND_SERVICE'] },
          },
        },
      ],
    })
  })

  test.each([
    [
      { cpu: '0.5', memory: '512Mi' },
      { requests: { cpu: '0.5', memory: '512Mi' }, limits: { memory: '512Mi' } },
    ],
    [
      { cpu: '0.5', cpuLimit: '2' },
      { requests: { cpu: '0.5' }, limits: { cpu: '2' } },
    ],
    [{}, undefined],
  ])('reserves %j as %j', (resources, requirements) => {
    expect(containerOf({ resources }).resources).toEqual(requirements)
  })

  test('gets variables, and files each at its own place', () => {
    const { env, volumeMounts } = containerOf()
    expect(env).toEqual([
      { name: 'PLAIN', value: 'a' },
      { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'hcn-secrets-1', key: 'TOKEN' } } },
      { name: 'LEVEL', valueFrom: { configMapKeyRef: { name: 'levels', key: 'level' } } },
    ])
    expect(volumeMounts).toEqual([
      { name: 'hcn-files-1', mountPath: '/etc/hcn/rules.json', subPath: 'etc.hcn.rules.json', readOnly: true },
    ])
    expect(podOf('hcn', process).volumes).toEqual([{ name: 'hcn-files-1', configMap: { name: 'hcn-files-1' } }])
  })

  test.each([
    ['5 $', '5 $'],
    ['$(HOME)', '$$(HOME)'],
    ['a$$b', 'a$$$$b'],
  ])('gets a value as it is written: %s', (value, written) => {
    expect(containerOf({ variables: { V: { value } }, command: [value] })).toMatchObject({
      env: [{ value: written }],
      command: [written],
    })
  })

  test('whose digest is not known is pulled for each delivery', () => {
    const template = deploymentOf({ process: { ...process, pullMark: '7 now' } }).spec.template
    expect(template.metadata!.annotations).toMatchObject({ 'sampan.dev/delivered': '7 now' })
    expect(template.spec!.containers[0]!.imagePullPolicy).toBe('Always')
  })
})

describe('a name', () => {
  const long = 'a'.repeat(60) + '-b'.repeat(10)

  test('that fits stays', () => {
    expect([objectName('hcn-api'), labelValue('1.0.0')]).toEqual(['hcn-api', '1.0.0'])
  })

  test.each([
    ['an object', objectName, 63],
    ['a CronJob', cronJobName, 52],
    ['a label', labelValue, 63],
  ])('that is too long for %s is shortened, each to its own', (_what, shorten, longest) => {
    const [first, second] = [shorten(long), shorten(`${long}c`)]
    expect(first.length).toBeLessThanOrEqual(longest)
    expect(first).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
    expect(second).not.toBe(first)
  })
})
