// The numbers of the container runtime interface (CRI v1, kubernetes/cri-api) that the agent uses: for
// each message its fields as `name=number type`; `[]` marks repeated fields, `map:` maps from strings.
// Enums travel as int32; their values are below.

export const criMessages: Readonly<Record<string, string>> = {
  AttachRequest: 'containerId=1 string, stdin=2 bool, tty=3 bool, stdout=4 bool, stderr=5 bool',
  AttachResponse: 'url=1 string',
  AuthConfig:
    'username=1 string, password=2 string, auth=3 string, serverAddress=4 string, identityToken=5 string, registryToken=6 string',
  CDIDevice: 'name=1 string',
  Capability: 'addCapabilities=1 string[], dropCapabilities=2 string[], addAmbientCapabilities=3 string[]',
  Container:
    'id=1 string, podSandboxId=2 string, metadata=3 ContainerMetadata, image=4 ImageSpec, imageRef=5 string, state=6 int32, createdAt=7 int64, labels=8 map:string, annotations=9 map:string, imageId=10 string',
  ContainerAttributes: 'id=1 string, metadata=2 ContainerMetadata, labels=3 map:string, annotations=4 map:string',
  ContainerConfig:
    'metadata=1 ContainerMetadata, image=2 ImageSpec, command=3 string[], args=4 string[], workingDir=5 string, envs=6 KeyValue[], mounts=7 Mount[], devices=8 Device[], labels=9 map:string, annotations=10 map:string, logPath=11 string, stdin=12 bool, stdinOnce=13 bool, tty=14 bool, linux=15 LinuxContainerConfig, CDIDevices=17 CDIDevice[]',
  ContainerFilter: 'id=1 string, state=2 ContainerStateValue, podSandboxId=3 string, labelSelector=4 map:string',
  ContainerMetadata: 'name=1 string, attempt=2 uint32',
  ContainerResources: 'linux=1 LinuxContainerResources',
  ContainerStateValue: 'state=1 int32',
  ContainerStats:
    'attributes=1 ContainerAttributes, cpu=2 CpuUsage, memory=3 MemoryUsage, writableLayer=4 FilesystemUsage, swap=5 SwapUsage',
  ContainerStatsFilter: 'id=1 string, podSandboxId=2 string, labelSelector=3 map:string',
  ContainerStatus:
    'id=1 string, metadata=2 ContainerMetadata, state=3 int32, createdAt=4 int64, startedAt=5 int64, finishedAt=6 int64, exitCode=7 int32, image=8 ImageSpec, imageRef=9 string, reason=10 string, message=11 string, labels=12 map:string, annotations=13 map:string, mounts=14 Mount[], logPath=15 string, resources=16 ContainerResources, imageId=17 string, user=18 ContainerUser',
  ContainerStatusRequest: 'containerId=1 string, verbose=2 bool',
  ContainerStatusResponse: 'status=1 ContainerStatus, info=2 map:string',
  ContainerUser: 'linux=1 LinuxContainerUser',
  CpuUsage: 'timestamp=1 int64, usageCoreNanoSeconds=2 UInt64Value, usageNanoCores=3 UInt64Value',
  CreateContainerRequest: 'podSandboxId=1 string, config=2 ContainerConfig, sandboxConfig=3 PodSandboxConfig',
  CreateContainerResponse: 'containerId=1 string',
  DNSConfig: 'servers=1 string[], searches=2 string[], options=3 string[]',
  Device: 'containerPath=1 string, hostPath=2 string, permissions=3 string',
  ExecRequest: 'containerId=1 string, cmd=2 string[], tty=3 bool, stdin=4 bool, stdout=5 bool, stderr=6 bool',
  ExecResponse: 'url=1 string',
  ExecSyncRequest: 'containerId=1 string, cmd=2 string[], timeout=3 int64',
  ExecSyncResponse: 'stdout=1 bytes, stderr=2 bytes, exitCode=3 int32',
  FilesystemIdentifier: 'mountpoint=1 string',
  FilesystemUsage: 'timestamp=1 int64, fsId=2 FilesystemIdentifier, usedBytes=3 UInt64Value, inodesUsed=4 UInt64Value',
  HugepageLimit: 'pageSize=1 string, limit=2 uint64',
  IDMapping: 'hostId=1 uint32, containerId=2 uint32, length=3 uint32',
  Image:
    'id=1 string, repoTags=2 string[], repoDigests=3 string[], size=4 uint64, uid=5 Int64Value, username=6 string, spec=7 ImageSpec, pinned=8 bool',
  ImageFilter: 'image=1 ImageSpec',
  ImageFsInfoRequest: '',
  ImageFsInfoResponse: 'imageFilesystems=1 FilesystemUsage[], containerFilesystems=2 FilesystemUsage[]',
  ImageSpec: 'image=1 string, annotations=2 map:string, userSpecifiedImage=18 string, runtimeHandler=19 string',
  ImageStatusRequest: 'image=1 ImageSpec, verbose=2 bool',
  ImageStatusResponse: 'image=1 Image, info=2 map:string',
  Int64Value: 'value=1 int64',
  KeyValue: 'key=1 string, value=2 string',
  LinuxContainerConfig: 'resources=1 LinuxContainerResources, securityContext=2 LinuxContainerSecurityContext',
  LinuxContainerResources:
    'cpuPeriod=1 int64, cpuQuota=2 int64, cpuShares=3 int64, memoryLimitInBytes=4 int64, oomScoreAdj=5 int64, cpusetCpus=6 string, cpusetMems=7 string, hugepageLimits=8 HugepageLimit[], unified=9 map:string, memorySwapLimitInBytes=10 int64',
  LinuxContainerSecurityContext:
    'capabilities=1 Capability, privileged=2 bool, namespaceOptions=3 NamespaceOption, runAsUser=5 Int64Value, runAsGroup=12 Int64Value, runAsUsername=6 string, readonlyRootfs=7 bool, supplementalGroups=8 int64[], supplementalGroupsPolicy=17 int32, noNewPrivs=11 bool, maskedPaths=13 string[], readonlyPaths=14 string[], seccomp=15 SecurityProfile, apparmor=16 SecurityProfile, apparmorProfile=9 string, seccompProfilePath=10 string',
  LinuxContainerUser: 'uid=1 int64, gid=2 int64, supplementalGroups=3 int64[]',
  LinuxPodSandboxConfig:
    'cgroupParent=1 string, securityContext=2 LinuxSandboxSecurityContext, sysctls=3 map:string, overhead=4 LinuxContainerResources, resources=5 LinuxContainerResources',
  LinuxPodSandboxStatus: 'namespaces=1 Namespace',
  LinuxSandboxSecurityContext:
    'namespaceOptions=1 NamespaceOption, runAsUser=3 Int64Value, runAsGroup=8 Int64Value, readonlyRootfs=4 bool, supplementalGroups=5 int64[], supplementalGroupsPolicy=11 int32, privileged=6 bool, seccomp=9 SecurityProfile, apparmor=10 SecurityProfile, seccompProfilePath=7 string',
  ListContainerStatsRequest: 'filter=1 ContainerStatsFilter',
  ListContainerStatsResponse: 'stats=1 ContainerStats[]',
  ListContainersRequest: 'filter=1 ContainerFilter',
  ListContainersResponse: 'containers=1 Container[]',
  ListImagesRequest: 'filter=1 ImageFilter',
  ListImagesResponse: 'images=1 Image[]',
  ListPodSandboxRequest: 'filter=1 PodSandboxFilter',
  ListPodSandboxResponse: 'items=1 PodSandbox[]',
  MemoryUsage:
    'timestamp=1 int64, workingSetBytes=2 UInt64Value, availableBytes=3 UInt64Value, usageBytes=4 UInt64Value, rssBytes=5 UInt64Value, pageFaults=6 UInt64Value, majorPageFaults=7 UInt64Value',
  Mount:
    'containerPath=1 string, hostPath=2 string, readonly=3 bool, selinuxRelabel=4 bool, propagation=5 int32, uidMappings=6 IDMapping[], gidMappings=7 IDMapping[], recursiveReadOnly=8 bool, image=9 ImageSpec',
  Namespace: 'options=2 NamespaceOption',
  NamespaceOption: 'network=1 int32, pid=2 int32, ipc=3 int32, targetId=4 string, usernsOptions=5 UserNamespace',
  PodIP: 'ip=1 string',
  PodSandbox:
    'id=1 string, metadata=2 PodSandboxMetadata, state=3 int32, createdAt=4 int64, labels=5 map:string, annotations=6 map:string, runtimeHandler=7 string',
  PodSandboxConfig:
    'metadata=1 PodSandboxMetadata, hostname=2 string, logDirectory=3 string, dnsConfig=4 DNSConfig, portMappings=5 PortMapping[], labels=6 map:string, annotations=7 map:string, linux=8 LinuxPodSandboxConfig',
  PodSandboxFilter: 'id=1 string, state=2 PodSandboxStateValue, labelSelector=3 map:string',
  PodSandboxMetadata: 'name=1 string, uid=2 string, namespace=3 string, attempt=4 uint32',
  PodSandboxNetworkStatus: 'ip=1 string, additionalIps=2 PodIP[]',
  PodSandboxStateValue: 'state=1 int32',
  PodSandboxStatus:
    'id=1 string, metadata=2 PodSandboxMetadata, state=3 int32, createdAt=4 int64, network=5 PodSandboxNetworkStatus, linux=6 LinuxPodSandboxStatus, labels=7 map:string, annotations=8 map:string, runtimeHandler=9 string',
  PodSandboxStatusRequest: 'podSandboxId=1 string, verbose=2 bool',
  PodSandboxStatusResponse:
    'status=1 PodSandboxStatus, info=2 map:string, containersStatuses=3 ContainerStatus[], timestamp=4 int64',
  PortForwardRequest: 'podSandboxId=1 string, port=2 int32[]',
  PortForwardResponse: 'url=1 string',
  PortMapping: 'protocol=1 int32, containerPort=2 int32, hostPort=3 int32, hostIp=4 string',
  PullImageRequest: 'image=1 ImageSpec, auth=2 AuthConfig, sandboxConfig=3 PodSandboxConfig',
  PullImageResponse: 'imageRef=1 string',
  RemoveContainerRequest: 'containerId=1 string',
  RemoveContainerResponse: '',
  RemoveImageRequest: 'image=1 ImageSpec',
  RemoveImageResponse: '',
  RemovePodSandboxRequest: 'podSandboxId=1 string',
  RemovePodSandboxResponse: '',
  ReopenContainerLogRequest: 'containerId=1 string',
  ReopenContainerLogResponse: '',
  RunPodSandboxRequest: 'config=1 PodSandboxConfig, runtimeHandler=2 string',
  RunPodSandboxResponse: 'podSandboxId=1 string',
  RuntimeCondition: 'type=1 string, status=2 bool, reason=3 string, message=4 string',
  RuntimeFeatures: 'supplementalGroupsPolicy=1 bool',
  RuntimeHandler: 'name=1 string, features=2 RuntimeHandlerFeatures',
  RuntimeHandlerFeatures: 'recursiveReadOnlyMounts=1 bool, userNamespaces=2 bool',
  RuntimeStatus: 'conditions=1 RuntimeCondition[]',
  SELinuxOption: 'user=1 string, role=2 string, type=3 string, level=4 string',
  SecurityProfile: 'profileType=1 int32, localhostRef=2 string',
  StartContainerRequest: 'containerId=1 string',
  StartContainerResponse: '',
  StatusRequest: 'verbose=1 bool',
  StatusResponse:
    'status=1 RuntimeStatus, info=2 map:string, runtimeHandlers=3 RuntimeHandler[], features=4 RuntimeFeatures',
  StopContainerRequest: 'containerId=1 string, timeout=2 int64',
  StopContainerResponse: '',
  StopPodSandboxRequest: 'podSandboxId=1 string',
  StopPodSandboxResponse: '',
  SwapUsage: 'timestamp=1 int64, swapAvailableBytes=2 UInt64Value, swapUsageBytes=3 UInt64Value',
  UInt64Value: 'value=1 uint64',
  UpdateContainerResourcesRequest: 'containerId=1 string, linux=2 LinuxContainerResources, annotations=4 map:string',
  UpdateContainerResourcesResponse: '',
  UserNamespace: 'mode=1 int32, uids=2 IDMapping[], gids=3 IDMapping[]',
  VersionRequest: 'version=1 string',
  VersionResponse: 'version=1 string, runtimeName=2 string, runtimeVersion=3 string, runtimeApiVersion=4 string',
}

export const namespaceMode = { pod: 0, container: 1, node: 2, target: 3 } as const
export const sandboxReady = 0
export const containerStates = ['created', 'running', 'exited', 'unknown'] as const
export const mountPropagation = { None: 0, HostToContainer: 1, Bidirectional: 2 } as const
export const protocols = { TCP: 0, UDP: 1, SCTP: 2 } as const
/** SecurityProfile.ProfileType */
export const securityProfile = { RuntimeDefault: 0, Unconfined: 1, Localhost: 2 } as const
