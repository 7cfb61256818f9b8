// Conformance of the tests that demand every operation on a kind, or the whole life of its objects.
import { afterAll, beforeAll, describe, test } from 'vitest'
import { startTestCluster, type TestCluster } from '../../src/testing/test-cluster.ts'
import { Api } from './api.ts'
import { runOperations, type Operations } from './operations.ts'

let cluster: TestCluster
let api: Api
beforeAll(async () => {
  cluster = await startTestCluster({ nodes: 1 })
  api = new Api(cluster.server)
})
afterAll(() => cluster.stop())

const podSpec = { containers: [{ name: 'c', image: 'sampan.local/busybox:1' }] }
const podTemplate = { metadata: { labels: { app: 'x' } }, spec: podSpec }
const admission = 'admissionregistration.k8s.io'
const storage = 'storage.k8s.io'
const dra = 'resource.k8s.io'
const matchConstraints = {
  resourceRules: [{ apiGroups: ['example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['examples'] }],
}
const condition = {
  type: 'Tested',
  status: 'True',
  reason: 'E2E',
  message: 'Set by the test',
  lastTransitionTime: '2026-01-02T03:04:05Z',
}
const signingRequest =
  '-----BEGIN CERTIFICATE REQUEST-----\nMIH1MIGcAgEAMDoxFTATBgNVBAoMDGV4YW1wbGUgb3JnMSEwHwYDVQQDDBhzYW1wYW4tY29uZm9ybWFuY2UtdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABK\n-----END CERTIFICATE REQUEST-----\n'
const eventAbout = (namespace: string): object => ({ kind: 'Pod', namespace, name: 'x' })

const areas: Record<string, Record<string, Operations>> = {
  'api machinery': {
    'API priority and fairness should support FlowSchema API operations': {
      group: 'flowcontrol.apiserver.k8s.io',
      plural: 'flowschemas',
      statusKeepsMetadata: true,
      change: { spec: { matchingPrecedence: 9998 } },
      status: { conditions: [condition] },
      object: () => ({
        spec: {
          matchingPrecedence: 9999,
          priorityLevelConfiguration: { name: 'global-default' },
          distinguisherMethod: { type: 'ByUser' },
          rules: [
            {
              subjects: [{ kind: 'User', user: { name: 'example' } }],
              nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }],
            },
          ],
        },
      }),
    },
    'API priority and fairness should support PriorityLevelConfiguration API operations': {
      group: 'flowcontrol.apiserver.k8s.io',
      plural: 'prioritylevelconfigurations',
      statusKeepsMetadata: true,
      change: { spec: { limited: { nominalConcurrencyShares: 3 } } },
      status: { conditions: [condition] },
      object: () => ({
        spec: { type: 'Limited', limited: { nominalConcurrencyShares: 2, limitResponse: { type: 'Reject' } } },
      }),
    },
    'ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should support ValidatingAdmissionPolicy API operations': {
      group: admission,
      plural: 'validatingadmissionpolicies',
      statusKeepsMetadata: true,
      status: { conditions: [condition] },
      object: () => ({ spec: { matchConstraints, validations: [{ expression: 'object.spec.replicas <= 100' }] } }),
    },
    'ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should support ValidatingAdmissionPolicyBinding API operations':
      {
        group: admission,
        plural: 'validatingadmissionpolicybindings',
        change: { spec: { validationActions: ['Warn'] } },
        object: () => ({ spec: { policyName: 'none', validationActions: ['Deny'] } }),
      },
    'MutatingAdmissionPolicy [Privileged:ClusterAdmin] should support MutatingAdmissionPolicy API operations': {
      group: admission,
      plural: 'mutatingadmissionpolicies',
      object: () => ({
        spec: {
          matchConstraints,
          reinvocationPolicy: 'Never',
          mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{}' } }],
        },
      }),
    },
    'MutatingAdmissionPolicy [Privileged:ClusterAdmin] should support MutatingAdmissionPolicyBinding API operations': {
      group: admission,
      plural: 'mutatingadmissionpolicybindings',
      object: () => ({ spec: { policyName: 'none' } }),
    },
  },
  'apps and batch': {
    'CronJob should support CronJob API operations': {
      group: 'batch',
      plural: 'cronjobs',
      status: { lastScheduleTime: '2026-01-02T03:04:05Z' },
      change: { spec: { schedule: '2 * * * *' } },
      object: () => ({
        spec: {
          schedule: '1 1 1 1 *',
          suspend: true,
          jobTemplate: { spec: { template: { spec: { ...podSpec, restartPolicy: 'Never' } } } },
        },
      }),
    },
    'Job should manage the lifecycle of a job': {
      group: 'batch',
      plural: 'jobs',
      change: { spec: { parallelism: 2 } },
      object: () => ({ spec: { suspend: true, template: { spec: { ...podSpec, restartPolicy: 'Never' } } } }),
    },
    'Job should apply changes to a job status': {
      group: 'batch',
      plural: 'jobs',
      status: { startTime: '2026-01-02T03:04:05Z' },
      subresources: ['status'],
      object: () => ({
        spec: { managedBy: 'example.com/nobody', template: { spec: { ...podSpec, restartPolicy: 'Never' } } },
      }),
    },
    'ReplicaSet should list and delete a collection of ReplicaSets': {
      group: 'apps',
      plural: 'replicasets',
      subresources: ['status', 'scale'],
      change: { spec: { replicas: 2 } },
      object: () => ({ spec: { replicas: 1, selector: { matchLabels: { app: 'x' } }, template: podTemplate } }),
    },
    'ReplicaSet should validate Replicaset Status endpoints': {
      group: 'apps',
      plural: 'replicasets',
      status: { conditions: [condition] },
      object: () => ({ spec: { replicas: 0, selector: { matchLabels: { app: 'x' } }, template: podTemplate } }),
    },
    'Deployment should validate Deployment Status endpoints': {
      group: 'apps',
      plural: 'deployments',
      status: { conditions: [condition] },
      object: () => ({
        spec: { replicas: 0, paused: true, selector: { matchLabels: { app: 'x' } }, template: podTemplate },
      }),
    },
    'StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should validate Statefulset Status endpoints': {
      group: 'apps',
      plural: 'statefulsets',
      status: { conditions: [condition] },
      object: () => ({
        spec: { serviceName: 'x', replicas: 0, selector: { matchLabels: { app: 'x' } }, template: podTemplate },
      }),
    },
    'StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should list, patch and delete a collection of StatefulSets':
      {
        group: 'apps',
        plural: 'statefulsets',
        change: { spec: { replicas: 2 } },
        object: () => ({
          spec: { serviceName: 'x', replicas: 1, selector: { matchLabels: { app: 'x' } }, template: podTemplate },
        }),
      },
    'Daemon set [Serial] should verify changes to a daemon set status': {
      group: 'apps',
      plural: 'daemonsets',
      status: { conditions: [condition] },
      object: () => ({
        spec: {
          selector: { matchLabels: { app: 'x' } },
          template: { ...podTemplate, spec: { ...podSpec, nodeSelector: { nowhere: '' } } },
        },
      }),
    },
    'Daemon set [Serial] should list and delete a collection of DaemonSets': {
      group: 'apps',
      plural: 'daemonsets',
      object: () => ({ spec: { selector: { matchLabels: { app: 'x' } }, template: podTemplate } }),
    },
  },
  auth: {
    'Certificates API [Privileged:ClusterAdmin] should support CSR API operations': {
      group: 'certificates.k8s.io',
      plural: 'certificatesigningrequests',
      status: { conditions: [{ ...condition, lastUpdateTime: '2026-01-02T03:04:05Z' }] },
      subresources: ['approval'],
      object: () => ({
        spec: {
          request: Buffer.from(signingRequest).toString('base64'),
          signerName: 'example.com/e2e',
          usages: ['digital signature', 'client auth'],
          expirationSeconds: 3600,
        },
      }),
    },
    'ServiceAccounts should run through the lifecycle of a ServiceAccount': {
      group: '',
      plural: 'serviceaccounts',
      object: () => ({ automountServiceAccountToken: false }),
    },
    'ServiceAccounts should update a ServiceAccount': {
      group: '',
      plural: 'serviceaccounts',
      object: () => ({}),
      change: { automountServiceAccountToken: true },
    },
  },
  instrumentation: {
    'Events should manage the lifecycle of an event': {
      group: '',
      plural: 'events',
      change: { message: 'updated', series: { count: 2, lastObservedTime: '2026-01-02T03:04:05.000000Z' } },
      object: (_, namespace) => ({
        involvedObject: eventAbout(namespace),
        reason: 'Test',
        message: 'this is a test',
        type: 'Normal',
        source: { component: 'e2e' },
        eventTime: null,
        reportingComponent: '',
        reportingInstance: '',
      }),
    },
    'Events API should ensure that an event can be fetched, patched, deleted, and listed': {
      group: 'events.k8s.io',
      plural: 'events',
      change: { series: { count: 100, lastObservedTime: '2026-01-02T03:04:05.000000Z' } },
      object: (_, namespace) => ({
        regarding: eventAbout(namespace),
        reason: 'Test',
        note: 'this is a test',
        type: 'Normal',
        action: 'Do',
        eventTime: '2026-01-02T03:04:05.000000Z',
        reportingController: 'e2e.example.com/c',
        reportingInstance: 'c-1',
      }),
    },
    'Events API should delete a collection of events': {
      group: 'events.k8s.io',
      plural: 'events',
      object: (_, namespace) => ({
        regarding: eventAbout(namespace),
        reason: 'Test',
        note: 'this is a test',
        type: 'Normal',
        action: 'Do',
        eventTime: '2026-01-02T03:04:05.000000Z',
        reportingController: 'e2e.example.com/c',
        reportingInstance: 'c-1',
      }),
    },
    'Events should delete a collection of events': {
      group: '',
      plural: 'events',
      object: (_, namespace) => ({
        involvedObject: eventAbout(namespace),
        reason: 'Test',
        message: 'this is a test',
        type: 'Normal',
        source: { component: 'e2e' },
      }),
    },
  },
  network: {
    'EndpointSlice should support creating EndpointSlice API operations': {
      group: 'discovery.k8s.io',
      plural: 'endpointslices',
      change: { ports: [{ name: 'updated', port: 81, protocol: 'TCP' }] },
      object: () => ({
        addressType: 'IPv4',
        endpoints: [{ addresses: ['10.1.2.3'] }],
        ports: [{ name: 'p', port: 80 }],
      }),
    },
    'Ingress API should support creating Ingress API operations': {
      group: 'networking.k8s.io',
      plural: 'ingresses',
      status: { loadBalancer: { ingress: [{ ip: '169.1.1.1' }] } },
      object: () => ({
        spec: {
          defaultBackend: { service: { name: 'x', port: { number: 80 } } },
          rules: [
            {
              host: 'x.example.com',
              http: {
                paths: [
                  {
                    path: '/',
                    pathType: 'ImplementationSpecific',
                    backend: { service: { name: 'x', port: { number: 80 } } },
                  },
                ],
              },
            },
          ],
        },
      }),
    },
    'IngressClass API should support creating IngressClass API operations': {
      group: 'networking.k8s.io',
      plural: 'ingressclasses',
      object: () => ({ spec: { controller: 'example.com/e2e' } }),
    },
    'Services should complete a service status lifecycle': {
      group: '',
      plural: 'services',
      status: { loadBalancer: { ingress: [{ ip: '203.0.113.1' }] } },
      change: { spec: { sessionAffinity: 'ClientIP' } },
      object: () => ({ spec: { type: 'LoadBalancer', ports: [{ port: 80 }] } }),
    },
    'Services should delete a collection of services': {
      group: '',
      plural: 'services',
      object: () => ({ spec: { ports: [{ port: 80 }] } }),
    },
    'Services should test the lifecycle of an Endpoint': {
      group: '',
      plural: 'endpoints',
      object: () => ({
        subsets: [{ addresses: [{ ip: '10.0.0.24' }], ports: [{ name: 'http', port: 80, protocol: 'TCP' }] }],
      }),
      change: {
        subsets: [{ addresses: [{ ip: '10.0.0.25' }], ports: [{ name: 'http-test', port: 8080, protocol: 'TCP' }] }],
      },
    },
    'ServiceCIDR and IPAddress API should support ServiceCIDR API operations': {
      group: 'networking.k8s.io',
      plural: 'servicecidrs',
      status: { conditions: [condition] },
      object: index => ({ spec: { cidrs: [`10.20${index}.0.0/24`] } }),
    },
    'ServiceCIDR and IPAddress API should support IPAddress API operations': {
      group: 'networking.k8s.io',
      plural: 'ipaddresses',
      name: index => `192.0.2.${index + 1}`,
      object: () => ({ spec: { parentRef: { group: '', resource: 'services', namespace: 'default', name: 'x' } } }),
    },
  },
  node: {
    'RuntimeClass should support RuntimeClasses API operations': {
      group: 'node.k8s.io',
      plural: 'runtimeclasses',
      object: () => ({ handler: 'e2e' }),
    },
    'PodTemplates should run the lifecycle of PodTemplates': {
      group: '',
      plural: 'podtemplates',
      object: () => ({ template: podTemplate }),
    },
    'PodTemplates should replace a pod template': {
      group: '',
      plural: 'podtemplates',
      object: () => ({ template: podTemplate }),
      change: { template: { metadata: { labels: { updated: 'true' } } } },
    },
    'PodTemplates should delete a collection of pod templates': {
      group: '',
      plural: 'podtemplates',
      object: () => ({ template: podTemplate }),
    },
    'Lease lease API should be available': {
      group: 'coordination.k8s.io',
      plural: 'leases',
      change: { spec: { holderIdentity: 'holder2', leaseDurationSeconds: 60, leaseTransitions: 1 } },
      object: () => ({
        spec: {
          holderIdentity: 'holder',
          leaseDurationSeconds: 30,
          acquireTime: '2026-01-02T03:04:05.000000Z',
          renewTime: '2026-01-02T03:04:10.000000Z',
          leaseTransitions: 0,
        },
      }),
    },
    'ConfigMap should run through a ConfigMap lifecycle': {
      group: '',
      plural: 'configmaps',
      object: () => ({ data: { key: 'value' } }),
      change: { data: { key: 'patched' } },
    },
    'ConfigMap should update ConfigMap successfully': {
      group: '',
      plural: 'configmaps',
      object: () => ({ data: { key: 'value' } }),
      change: { data: { key: 'updated', other: 'x' } },
    },
    'Secrets should patch a secret': {
      group: '',
      plural: 'secrets',
      object: () => ({ type: 'Opaque', data: { key: 'dmFsdWU=' } }),
      change: { data: { key: 'dmFsdWUx' } },
    },
    'Node Lifecycle should run through the lifecycle of a node': {
      group: '',
      plural: 'nodes',
      object: () => ({ spec: { unschedulable: true } }),
      status: { allocatable: { pods: '12' } },
    },
    '[DRA] CRUD Tests resource.k8s.io/v1 DeviceClass': {
      group: dra,
      plural: 'deviceclasses',
      object: () => ({ spec: { selectors: [{ cel: { expression: 'device.driver == "e2e.example.com"' } }] } }),
    },
    '[DRA] CRUD Tests resource.k8s.io/v1 ResourceClaim': {
      group: dra,
      plural: 'resourceclaims',
      statusKeepsMetadata: true,
      status: {
        allocation: { nodeSelector: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'x', operator: 'Exists' }] }] } },
      },
      object: () => ({
        spec: {
          devices: {
            requests: [{ name: 'r', exactly: { deviceClassName: 'e2e', allocationMode: 'ExactCount', count: 1 } }],
          },
        },
      }),
    },
    '[DRA] CRUD Tests resource.k8s.io/v1 ResourceClaimTemplate': {
      group: dra,
      plural: 'resourceclaimtemplates',
      object: () => ({
        spec: { spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'e2e' } }] } } },
      }),
    },
    '[DRA] CRUD Tests resource.k8s.io/v1 ResourceSlice': {
      group: dra,
      plural: 'resourceslices',
      object: index => ({
        spec: {
          driver: 'e2e.example.com',
          nodeName: 'node-0',
          pool: { name: `p${index}`, generation: 1, resourceSliceCount: 1 },
          devices: [{ name: 'd' }],
        },
      }),
    },
  },
  scheduling: {
    'LimitRange should list, patch and delete a LimitRange by collection': {
      group: '',
      plural: 'limitranges',
      object: () => ({ spec: { limits: [{ type: 'Container', min: { cpu: '50m' }, max: { cpu: '500m' } }] } }),
      change: { spec: { limits: [{ type: 'Container', max: { cpu: '1' } }] } },
    },
  },
  storage: {
    'StorageClasses CSI Conformance should run through the lifecycle of a StorageClass': {
      group: storage,
      plural: 'storageclasses',
      object: () => ({ provisioner: 'e2e.example.com' }),
      change: { allowVolumeExpansion: true },
    },
    'CSIInlineVolumes should run through the lifecycle of a CSIDriver': {
      group: storage,
      plural: 'csidrivers',
      object: () => ({ spec: { attachRequired: true, podInfoOnMount: true, volumeLifecycleModes: ['Ephemeral'] } }),
    },
    'CSIStorageCapacity should support CSIStorageCapacities API operations': {
      group: storage,
      plural: 'csistoragecapacities',
      object: () => ({ storageClassName: 'e2e', capacity: '1Gi' }),
      change: { capacity: '2Gi' },
    },
    'CSINodes CSI Conformance should run through the lifecycle of a csinode': {
      group: storage,
      plural: 'csinodes',
      object: () => ({ spec: { drivers: [{ name: 'e2e.example.com', nodeID: 'n', topologyKeys: [] }] } }),
    },
    'VolumeAttachment Conformance should run through the lifecycle of a VolumeAttachment': {
      group: storage,
      plural: 'volumeattachments',
      object: () => ({
        spec: { attacher: 'e2e.example.com', nodeName: 'node-0', source: { persistentVolumeName: 'pv' } },
      }),
    },
    'VolumeAttachment Conformance should apply changes to a volumeattachment status': {
      group: storage,
      plural: 'volumeattachments',
      statusKeepsMetadata: true,
      status: { attached: true, attachmentMetadata: { patched: 'yes' } },
      object: () => ({
        spec: { attacher: 'e2e.example.com', nodeName: 'node-0', source: { persistentVolumeName: 'pv' } },
      }),
    },
    'VolumeAttributesClass [FeatureGate:VolumeAttributesClass] should run through the lifecycle of a VolumeAttributesClass':
      {
        group: storage,
        plural: 'volumeattributesclasses',
        object: () => ({ driverName: 'e2e.example.com', parameters: { iops: '5' } }),
      },
  },
}

describe.each(Object.entries(areas))('%s', (_area, table) => {
  test.each(Object.entries(table))('%s [Conformance]', async (_codename, operations) => runOperations(api, operations))
})
