import { expect, test } from 'vitest'
import type { Container, Node, Pod, PodSpec } from '../api/generated/models.ts'
import { rejectionOf, type NodeView } from './admission.ts'

const node = {
  metadata: { name: 'node-1', labels: { 'kubernetes.io/os': 'linux', disk: 'ssd' } },
  spec: {},
  status: { allocatable: { cpu: '2', memory: '1Gi', 'ephemeral-storage': '10Gi', 'hugepages-2Mi': '0', pods: '3' } },
} as unknown as Node

const podWith = (container: Partial<Container>, spec: Partial<PodSpec> = {}): Pod =>
  ({ metadata: { name: 'web' }, spec: { containers: [{ name: 'main', ...container }], ...spec } }) as unknown as Pod

const asking = (requests: Record<string, string>): Pod => podWith({ resources: { requests } })
const onPort = (hostPort: number, more: object = {}): Pod =>
  podWith({ ports: [{ containerPort: 80, hostPort, ...more }] })
const view = (others: readonly Pod[] = [], change: Partial<NodeView> = {}): NodeView => ({
  node,
  others,
  hasAppArmor: false,
  ...change,
})
const insufficient = (name: string, requested: number, used: number, capacity: number): object => ({
  reason: `OutOf${name}`,
  message: `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
})
const failed = (reason: string, why: string): object => ({ reason, message: `Predicate ${reason} failed: ${why}` })
const portsTaken = failed('NodePorts', "node(s) didn't have free ports for the requested pod ports")
const sysctl = (name: string, spec: Partial<PodSpec> = {}): Pod =>
  podWith({}, { securityContext: { sysctls: [{ name, value: '1' }] }, ...spec })

test.each<[string, Pod, NodeView, object | undefined]>([
  ['asks for nothing', podWith({}), view(), undefined],
  ['fits exactly', asking({ cpu: '1500m' }), view([asking({ cpu: '500m' })]), undefined],
  [
    'wants too much processor',
    asking({ cpu: '1600m' }),
    view([asking({ cpu: '500m' })]),
    insufficient('cpu', 1600, 500, 2000),
  ],
  ['wants too much memory', asking({ memory: '2Gi' }), view(), insufficient('memory', 2 ** 31, 0, 2 ** 30)],
  [
    'wants too much of several things',
    asking({ 'ephemeral-storage': '1Ti', memory: '2Gi' }),
    view(),
    insufficient('memory', 2 ** 31, 0, 2 ** 30),
  ],
  [
    'wants pages that the node has not',
    asking({ 'hugepages-2Mi': '4Mi' }),
    view(),
    insufficient('hugepages-2Mi', 2 ** 22, 0, 0),
  ],
  ['wants what no node counts', asking({ 'example.com/dongle': '1' }), view(), undefined],
  ['is one too many', podWith({}), view([podWith({}), podWith({}), podWith({})]), insufficient('pods', 1, 3, 3)],
  ['wants a port that is taken', onPort(8080), view([onPort(8080)]), portsTaken],
  ['wants a port on one address of all', onPort(8080, { hostIP: '127.0.0.1' }), view([onPort(8080)]), portsTaken],
  [
    'wants the port on another address',
    onPort(8080, { hostIP: '127.0.0.1' }),
    view([onPort(8080, { hostIP: '127.0.0.2' })]),
    undefined,
  ],
  ['wants the port of another protocol', onPort(8080, { protocol: 'UDP' }), view([onPort(8080)]), undefined],
  [
    'selects other nodes',
    podWith({}, { nodeSelector: { disk: 'tape' } }),
    view(),
    failed('NodeAffinity', "node(s) didn't match Pod's node affinity/selector"),
  ],
  [
    'selects other nodes and asks for too much',
    podWith({ resources: { requests: { cpu: '9' } } }, { nodeSelector: { disk: 'tape' } }),
    view(),
    insufficient('cpu', 9000, 0, 2000),
  ],
  [
    'does not tolerate what drives pods away',
    podWith({}),
    view([], { node: { ...node, spec: { taints: [{ key: 'gone', effect: 'NoExecute' }] } } }),
    failed('TaintToleration', "node(s) had taints that the pod didn't tolerate"),
  ],
  [
    'was bound in spite of a taint that only keeps pods from being scheduled',
    podWith({}),
    view([], { node: { ...node, spec: { taints: [{ key: 'busy', effect: 'NoSchedule' }] } } }),
    undefined,
  ],
  [
    'is for another system',
    podWith({}, { os: { name: 'windows' } }),
    view(),
    { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" },
  ],
  [
    'wants its groups taken strictly',
    podWith({}, { securityContext: { supplementalGroupsPolicy: 'Strict' } }),
    view(),
    {
      reason: 'SupplementalGroupsPolicyNotSupported',
      message: 'SupplementalGroupsPolicy=Strict is not supported in this node',
    },
  ],
  ['sets what concerns it alone', sysctl('net.ipv4.tcp_rmem'), view(), undefined],
  [
    'sets what concerns others',
    sysctl('kernel/msgmax'),
    view(),
    { reason: 'SysctlForbidden', message: 'forbidden sysctl: "kernel.msgmax" not allowlisted' },
  ],
  [
    'sets what is the machine’s own',
    sysctl('net.ipv4.tcp_syncookies', { hostNetwork: true }),
    view(),
    {
      reason: 'SysctlForbidden',
      message: 'forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host Net enabled',
    },
  ],
  ['meets a node that the API does not show', asking({ cpu: '64' }), view([], { node: undefined }), undefined],
])('a pod that %s', (_what, pod, seen, expected) => {
  expect(rejectionOf(pod, seen)).toEqual(expected)
})

const unprotected = { reason: 'AppArmor', message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host' }

test.each<[string, Pod, object | undefined]>([
  ['of the pod', podWith({}, { securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } }), unprotected],
  [
    'of a container',
    podWith({ securityContext: { appArmorProfile: { type: 'Localhost', localhostProfile: 'web' } } }),
    unprotected,
  ],
  [
    'of an annotation',
    {
      ...podWith({}),
      metadata: { annotations: { 'container.apparmor.security.beta.kubernetes.io/main': 'runtime/default' } },
    } as unknown as Pod,
    unprotected,
  ],
  ['that means none', podWith({ securityContext: { appArmorProfile: { type: 'Unconfined' } } }), undefined],
])('an AppArmor profile %s needs AppArmor', (_what, pod, expected) => {
  expect(rejectionOf(pod, view())).toEqual(expected)
  expect(rejectionOf(pod, view([], { hasAppArmor: true }))).toBeUndefined()
})
