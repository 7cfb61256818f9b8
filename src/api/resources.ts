// The well-known resources, typed. What the server knows about each is in src/api/kinds/.
import type {
  APIService,
  Binding,
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  CertificateSigningRequest,
  ClusterRole,
  ClusterRoleBinding,
  ComponentStatus,
  ConfigMap,
  ControllerRevision,
  CoreEvent,
  CronJob,
  CustomResourceDefinition,
  DaemonSet,
  Deployment,
  DeviceClass,
  Endpoints,
  EndpointSlice,
  EventsEvent,
  FlowSchema,
  HorizontalPodAutoscaler,
  IPAddress,
  Ingress,
  IngressClass,
  Job,
  Lease,
  LimitRange,
  LocalSubjectAccessReview,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingWebhookConfiguration,
  Namespace,
  NetworkPolicy,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  PodTemplate,
  PriorityClass,
  PriorityLevelConfiguration,
  ReplicaSet,
  ReplicationController,
  ResourceClaimTemplate,
  ResourceQuota,
  ResourceResourceClaim,
  ResourceSlice,
  Role,
  RoleBinding,
  RuntimeClass,
  Secret,
  SelfSubjectAccessReview,
  SelfSubjectReview,
  SelfSubjectRulesReview,
  Service,
  ServiceAccount,
  ServiceCIDR,
  StatefulSet,
  StorageClass,
  SubjectAccessReview,
  TokenReview,
  V2HorizontalPodAutoscaler,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
  VolumeAttachment,
  VolumeAttributesClass,
} from './generated/models.ts'
import { resource } from './resource.ts'

export const namespaces = resource<Namespace>('', 'v1', 'namespaces', 'Namespace', 'Cluster')
export const nodes = resource<Node>('', 'v1', 'nodes', 'Node', 'Cluster')
export const pods = resource<Pod>('', 'v1', 'pods', 'Pod')
export const services = resource<Service>('', 'v1', 'services', 'Service')
export const endpoints = resource<Endpoints>('', 'v1', 'endpoints', 'Endpoints')
export const configMaps = resource<ConfigMap>('', 'v1', 'configmaps', 'ConfigMap')
export const secrets = resource<Secret>('', 'v1', 'secrets', 'Secret')
export const serviceAccounts = resource<ServiceAccount>('', 'v1', 'serviceaccounts', 'ServiceAccount')
export const events = resource<CoreEvent>('', 'v1', 'events', 'Event')
export const replicationControllers = resource<ReplicationController>(
  '',
  'v1',
  'replicationcontrollers',
  'ReplicationController',
)
export const replicaSets = resource<ReplicaSet>('apps', 'v1', 'replicasets', 'ReplicaSet')
export const deployments = resource<Deployment>('apps', 'v1', 'deployments', 'Deployment')
export const jobs = resource<Job>('batch', 'v1', 'jobs', 'Job')
export const leases = resource<Lease>('coordination.k8s.io', 'v1', 'leases', 'Lease')
export const endpointSlices = resource<EndpointSlice>('discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice')
export const limitRanges = resource<LimitRange>('', 'v1', 'limitranges', 'LimitRange')
export const resourceQuotas = resource<ResourceQuota>('', 'v1', 'resourcequotas', 'ResourceQuota')
export const persistentVolumes = resource<PersistentVolume>(
  '',
  'v1',
  'persistentvolumes',
  'PersistentVolume',
  'Cluster',
)
export const persistentVolumeClaims = resource<PersistentVolumeClaim>(
  '',
  'v1',
  'persistentvolumeclaims',
  'PersistentVolumeClaim',
)
export const podTemplates = resource<PodTemplate>('', 'v1', 'podtemplates', 'PodTemplate')
export const componentStatuses = resource<ComponentStatus>('', 'v1', 'componentstatuses', 'ComponentStatus', 'Cluster')
export const statefulSets = resource<StatefulSet>('apps', 'v1', 'statefulsets', 'StatefulSet')
export const daemonSets = resource<DaemonSet>('apps', 'v1', 'daemonsets', 'DaemonSet')
export const controllerRevisions = resource<ControllerRevision>(
  'apps',
  'v1',
  'controllerrevisions',
  'ControllerRevision',
)
export const cronJobs = resource<CronJob>('batch', 'v1', 'cronjobs', 'CronJob')
export const horizontalPodAutoscalers = resource<V2HorizontalPodAutoscaler>(
  'autoscaling',
  'v2',
  'horizontalpodautoscalers',
  'HorizontalPodAutoscaler',
)
export const horizontalPodAutoscalersV1 = resource<HorizontalPodAutoscaler>(
  'autoscaling',
  'v1',
  'horizontalpodautoscalers',
  'HorizontalPodAutoscaler',
)
export const eventsOfEventsGroup = resource<EventsEvent>('events.k8s.io', 'v1', 'events', 'Event')
export const ingresses = resource<Ingress>('networking.k8s.io', 'v1', 'ingresses', 'Ingress')
export const ingressClasses = resource<IngressClass>(
  'networking.k8s.io',
  'v1',
  'ingressclasses',
  'IngressClass',
  'Cluster',
)
export const networkPolicies = resource<NetworkPolicy>('networking.k8s.io', 'v1', 'networkpolicies', 'NetworkPolicy')
export const ipAddresses = resource<IPAddress>('networking.k8s.io', 'v1', 'ipaddresses', 'IPAddress', 'Cluster')
export const serviceCidrs = resource<ServiceCIDR>('networking.k8s.io', 'v1', 'servicecidrs', 'ServiceCIDR', 'Cluster')
export const podDisruptionBudgets = resource<PodDisruptionBudget>(
  'policy',
  'v1',
  'poddisruptionbudgets',
  'PodDisruptionBudget',
)
export const roles = resource<Role>('rbac.authorization.k8s.io', 'v1', 'roles', 'Role')
export const roleBindings = resource<RoleBinding>('rbac.authorization.k8s.io', 'v1', 'rolebindings', 'RoleBinding')
export const clusterRoles = resource<ClusterRole>(
  'rbac.authorization.k8s.io',
  'v1',
  'clusterroles',
  'ClusterRole',
  'Cluster',
)
export const clusterRoleBindings = resource<ClusterRoleBinding>(
  'rbac.authorization.k8s.io',
  'v1',
  'clusterrolebindings',
  'ClusterRoleBinding',
  'Cluster',
)
export const storageClasses = resource<StorageClass>(
  'storage.k8s.io',
  'v1',
  'storageclasses',
  'StorageClass',
  'Cluster',
)
export const csiDrivers = resource<CSIDriver>('storage.k8s.io', 'v1', 'csidrivers', 'CSIDriver', 'Cluster')
export const csiNodes = resource<CSINode>('storage.k8s.io', 'v1', 'csinodes', 'CSINode', 'Cluster')
export const csiStorageCapacities = resource<CSIStorageCapacity>(
  'storage.k8s.io',
  'v1',
  'csistoragecapacities',
  'CSIStorageCapacity',
)
export const volumeAttachments = resource<VolumeAttachment>(
  'storage.k8s.io',
  'v1',
  'volumeattachments',
  'VolumeAttachment',
  'Cluster',
)
export const volumeAttributesClasses = resource<VolumeAttributesClass>(
  'storage.k8s.io',
  'v1',
  'volumeattributesclasses',
  'VolumeAttributesClass',
  'Cluster',
)
export const priorityClasses = resource<PriorityClass>(
  'scheduling.k8s.io',
  'v1',
  'priorityclasses',
  'PriorityClass',
  'Cluster',
)
export const runtimeClasses = resource<RuntimeClass>('node.k8s.io', 'v1', 'runtimeclasses', 'RuntimeClass', 'Cluster')
export const certificateSigningRequests = resource<CertificateSigningRequest>(
  'certificates.k8s.io',
  'v1',
  'certificatesigningrequests',
  'CertificateSigningRequest',
  'Cluster',
)
export const flowSchemas = resource<FlowSchema>(
  'flowcontrol.apiserver.k8s.io',
  'v1',
  'flowschemas',
  'FlowSchema',
  'Cluster',
)
export const priorityLevelConfigurations = resource<PriorityLevelConfiguration>(
  'flowcontrol.apiserver.k8s.io',
  'v1',
  'prioritylevelconfigurations',
  'PriorityLevelConfiguration',
  'Cluster',
)
export const validatingWebhookConfigurations = resource<ValidatingWebhookConfiguration>(
  'admissionregistration.k8s.io',
  'v1',
  'validatingwebhookconfigurations',
  'ValidatingWebhookConfiguration',
  'Cluster',
)
export const mutatingWebhookConfigurations = resource<MutatingWebhookConfiguration>(
  'admissionregistration.k8s.io',
  'v1',
  'mutatingwebhookconfigurations',
  'MutatingWebhookConfiguration',
  'Cluster',
)
export const validatingAdmissionPolicies = resource<ValidatingAdmissionPolicy>(
  'admissionregistration.k8s.io',
  'v1',
  'validatingadmissionpolicies',
  'ValidatingAdmissionPolicy',
  'Cluster',
)
export const validatingAdmissionPolicyBindings = resource<ValidatingAdmissionPolicyBinding>(
  'admissionregistration.k8s.io',
  'v1',
  'validatingadmissionpolicybindings',
  'ValidatingAdmissionPolicyBinding',
  'Cluster',
)
export const mutatingAdmissionPolicies = resource<MutatingAdmissionPolicy>(
  'admissionregistration.k8s.io',
  'v1',
  'mutatingadmissionpolicies',
  'MutatingAdmissionPolicy',
  'Cluster',
)
export const mutatingAdmissionPolicyBindings = resource<MutatingAdmissionPolicyBinding>(
  'admissionregistration.k8s.io',
  'v1',
  'mutatingadmissionpolicybindings',
  'MutatingAdmissionPolicyBinding',
  'Cluster',
)
export const deviceClasses = resource<DeviceClass>('resource.k8s.io', 'v1', 'deviceclasses', 'DeviceClass', 'Cluster')
export const resourceClaims = resource<ResourceResourceClaim>(
  'resource.k8s.io',
  'v1',
  'resourceclaims',
  'ResourceClaim',
)
export const resourceClaimTemplates = resource<ResourceClaimTemplate>(
  'resource.k8s.io',
  'v1',
  'resourceclaimtemplates',
  'ResourceClaimTemplate',
)
export const resourceSlices = resource<ResourceSlice>(
  'resource.k8s.io',
  'v1',
  'resourceslices',
  'ResourceSlice',
  'Cluster',
)
export const apiServices = resource<APIService>('apiregistration.k8s.io', 'v1', 'apiservices', 'APIService', 'Cluster')
export const customResourceDefinitions = resource<CustomResourceDefinition>(
  'apiextensions.k8s.io',
  'v1',
  'customresourcedefinitions',
  'CustomResourceDefinition',
  'Cluster',
)
export const bindings = resource<Binding>('', 'v1', 'bindings', 'Binding')
export const tokenReviews = resource<TokenReview>(
  'authentication.k8s.io',
  'v1',
  'tokenreviews',
  'TokenReview',
  'Cluster',
)
export const selfSubjectReviews = resource<SelfSubjectReview>(
  'authentication.k8s.io',
  'v1',
  'selfsubjectreviews',
  'SelfSubjectReview',
  'Cluster',
)
export const subjectAccessReviews = resource<SubjectAccessReview>(
  'authorization.k8s.io',
  'v1',
  'subjectaccessreviews',
  'SubjectAccessReview',
  'Cluster',
)
export const selfSubjectAccessReviews = resource<SelfSubjectAccessReview>(
  'authorization.k8s.io',
  'v1',
  'selfsubjectaccessreviews',
  'SelfSubjectAccessReview',
  'Cluster',
)
export const localSubjectAccessReviews = resource<LocalSubjectAccessReview>(
  'authorization.k8s.io',
  'v1',
  'localsubjectaccessreviews',
  'LocalSubjectAccessReview',
)
export const selfSubjectRulesReviews = resource<SelfSubjectRulesReview>(
  'authorization.k8s.io',
  'v1',
  'selfsubjectrulesreviews',
  'SelfSubjectRulesReview',
  'Cluster',
)
