// Discovery against the resources that Kubernetes 1.36 serves by default: `w` is everything a stored
// resource can do, `p` a part that is read and written, the others are spelled out.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

const whole = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
const part = ['get', 'patch', 'update']
const proxied = ['create', 'delete', 'get', 'patch', 'update']

/** `plural:Kind[:verbs]`, N before those that live in namespaces. */
const facts: Record<string, string> = {
  '/api/v1': `N.bindings:Binding:create componentstatuses:ComponentStatus:get,list N.configmaps:ConfigMap N.endpoints:Endpoints N.events:Event N.limitranges:LimitRange
    namespaces:Namespace:create,delete,get,list,patch,update,watch namespaces/finalize:Namespace:update namespaces/status:Namespace nodes:Node nodes/proxy:NodeProxyOptions:proxy nodes/status:Node
    N.persistentvolumeclaims:PersistentVolumeClaim N.persistentvolumeclaims/status:PersistentVolumeClaim persistentvolumes:PersistentVolume persistentvolumes/status:PersistentVolume
    N.pods:Pod N.pods/attach:PodAttachOptions:create,get N.pods/binding:Binding:create N.pods/ephemeralcontainers:Pod N.pods/eviction:Eviction:create N.pods/exec:PodExecOptions:create,get N.pods/log:Pod:get
    N.pods/portforward:PodPortForwardOptions:create,get N.pods/proxy:PodProxyOptions:proxy N.pods/resize:Pod N.pods/status:Pod N.podtemplates:PodTemplate
    N.replicationcontrollers:ReplicationController N.replicationcontrollers/scale:Scale N.replicationcontrollers/status:ReplicationController N.resourcequotas:ResourceQuota N.resourcequotas/status:ResourceQuota
    N.secrets:Secret N.serviceaccounts:ServiceAccount N.serviceaccounts/token:TokenRequest:create N.services:Service N.services/proxy:ServiceProxyOptions:proxy N.services/status:Service`,
  '/apis/admissionregistration.k8s.io/v1': `mutatingadmissionpolicies:MutatingAdmissionPolicy mutatingadmissionpolicybindings:MutatingAdmissionPolicyBinding mutatingwebhookconfigurations:MutatingWebhookConfiguration
    validatingadmissionpolicies:ValidatingAdmissionPolicy validatingadmissionpolicies/status:ValidatingAdmissionPolicy validatingadmissionpolicybindings:ValidatingAdmissionPolicyBinding validatingwebhookconfigurations:ValidatingWebhookConfiguration`,
  '/apis/apiextensions.k8s.io/v1':
    'customresourcedefinitions:CustomResourceDefinition customresourcedefinitions/status:CustomResourceDefinition',
  '/apis/apiregistration.k8s.io/v1': 'apiservices:APIService apiservices/status:APIService',
  '/apis/apps/v1': `N.controllerrevisions:ControllerRevision N.daemonsets:DaemonSet N.daemonsets/status:DaemonSet N.deployments:Deployment N.deployments/scale:Scale N.deployments/status:Deployment
    N.replicasets:ReplicaSet N.replicasets/scale:Scale N.replicasets/status:ReplicaSet N.statefulsets:StatefulSet N.statefulsets/scale:Scale N.statefulsets/status:StatefulSet`,
  '/apis/authentication.k8s.io/v1': 'selfsubjectreviews:SelfSubjectReview:create tokenreviews:TokenReview:create',
  '/apis/authorization.k8s.io/v1':
    'N.localsubjectaccessreviews:LocalSubjectAccessReview:create selfsubjectaccessreviews:SelfSubjectAccessReview:create selfsubjectrulesreviews:SelfSubjectRulesReview:create subjectaccessreviews:SubjectAccessReview:create',
  '/apis/autoscaling/v1':
    'N.horizontalpodautoscalers:HorizontalPodAutoscaler N.horizontalpodautoscalers/status:HorizontalPodAutoscaler',
  '/apis/autoscaling/v2':
    'N.horizontalpodautoscalers:HorizontalPodAutoscaler N.horizontalpodautoscalers/status:HorizontalPodAutoscaler',
  '/apis/batch/v1': 'N.cronjobs:CronJob N.cronjobs/status:CronJob N.jobs:Job N.jobs/status:Job',
  '/apis/certificates.k8s.io/v1':
    'certificatesigningrequests:CertificateSigningRequest certificatesigningrequests/approval:CertificateSigningRequest certificatesigningrequests/status:CertificateSigningRequest',
  '/apis/coordination.k8s.io/v1': 'N.leases:Lease',
  '/apis/discovery.k8s.io/v1': 'N.endpointslices:EndpointSlice',
  '/apis/events.k8s.io/v1': 'N.events:Event',
  '/apis/flowcontrol.apiserver.k8s.io/v1':
    'flowschemas:FlowSchema flowschemas/status:FlowSchema prioritylevelconfigurations:PriorityLevelConfiguration prioritylevelconfigurations/status:PriorityLevelConfiguration',
  '/apis/networking.k8s.io/v1': `ingressclasses:IngressClass N.ingresses:Ingress N.ingresses/status:Ingress ipaddresses:IPAddress N.networkpolicies:NetworkPolicy servicecidrs:ServiceCIDR servicecidrs/status:ServiceCIDR`,
  '/apis/node.k8s.io/v1': 'runtimeclasses:RuntimeClass',
  '/apis/policy/v1': 'N.poddisruptionbudgets:PodDisruptionBudget N.poddisruptionbudgets/status:PodDisruptionBudget',
  '/apis/rbac.authorization.k8s.io/v1':
    'clusterrolebindings:ClusterRoleBinding clusterroles:ClusterRole N.rolebindings:RoleBinding N.roles:Role',
  '/apis/resource.k8s.io/v1':
    'deviceclasses:DeviceClass N.resourceclaims:ResourceClaim N.resourceclaims/status:ResourceClaim N.resourceclaimtemplates:ResourceClaimTemplate resourceslices:ResourceSlice',
  '/apis/scheduling.k8s.io/v1': 'priorityclasses:PriorityClass',
  '/apis/storage.k8s.io/v1': `csidrivers:CSIDriver csinodes:CSINode N.csistoragecapacities:CSIStorageCapacity storageclasses:StorageClass volumeattachments:VolumeAttachment volumeattachments/status:VolumeAttachment
    volumeattributesclasses:VolumeAttributesClass`,
}

interface Entry {
  name: string
  namespaced: boolean
  kind: string
  verbs: string[]
}

function expected(line: string): Entry[] {
  return line
    .trim()
    .split(/\s+/)
    .map(text => {
      const [, scope, name = '', kind = '', verbs] = /^(N\.)?([^:]+):([^:]+)(?::(.+))?$/.exec(text)!
      return {
        name,
        namespaced: scope !== undefined,
        kind,
        verbs: verbs === 'proxy' ? proxied : (verbs?.split(',') ?? (name.includes('/') ? part : whole)),
      }
    })
}

test.each(Object.entries(facts))('%s', async (path, line) => {
  const { json } = await server.call('GET', path)
  expect(json.resources.map(({ name, namespaced, kind, verbs }: Entry) => ({ name, namespaced, kind, verbs }))).toEqual(
    expected(line),
  )
})

test('there are no groups but these', async () => {
  const { json } = await server.call('GET', '/apis')
  const served = json.groups.flatMap((group: { versions: { groupVersion: string }[] }) =>
    group.versions.map(version => `/apis/${version.groupVersion}`),
  )
  expect(new Set([...served, '/api/v1'])).toEqual(new Set(Object.keys(facts)))
})
