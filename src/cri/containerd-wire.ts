// The numbers of containerd's own services that Sampan uses beside CRI: the event stream (the end of a
// container is reported at once instead of being polled for), containers and tasks (to run commands), and
// content, images and leases (to bring in the sandbox image without a tool). Source: containerd api/services and api/events.

export const containerdMessages: Readonly<Record<string, string>> = {
  SubscribeRequest: 'filters=1 string[]',
  Timestamp: 'seconds=1 int64, nanos=2 int32',
  Any: 'typeUrl=1 string, value=2 bytes',
  Envelope: 'timestamp=1 Timestamp, namespace=2 string, topic=3 string, event=4 Any',
  TaskExit: 'containerId=1 string, id=2 string, pid=3 uint32, exitStatus=4 uint32, exitedAt=5 Timestamp',

  GetContainerRequest: 'id=1 string',
  GetContainerResponse: 'container=1 StoredContainer',
  StoredContainer: 'id=1 string, spec=5 Any',
  ExecProcessRequest:
    'containerId=1 string, stdin=2 string, stdout=3 string, stderr=4 string, terminal=5 bool, spec=6 Any, execId=7 string',
  ProcessRequest: 'containerId=1 string, execId=2 string',
  WaitProcessResponse: 'exitStatus=1 uint32, exitedAt=2 Timestamp',
  CloseIoRequest: 'containerId=1 string, execId=2 string, stdin=3 bool',
  ResizePtyRequest: 'containerId=1 string, execId=2 string, width=3 uint32, height=4 uint32',

  WriteContentRequest:
    'action=1 int32, ref=2 string, total=3 int64, expected=4 string, offset=5 int64, data=6 bytes, labels=7 map:string',
  WriteContentResponse:
    'action=1 int32, startedAt=2 Timestamp, updatedAt=3 Timestamp, offset=4 int64, total=5 int64, digest=6 string',
  Descriptor: 'mediaType=1 string, digest=2 string, size=3 int64, annotations=5 map:string',
  StoredImage: 'name=1 string, labels=2 map:string, target=3 Descriptor, createdAt=7 Timestamp, updatedAt=8 Timestamp',
  CreateImageRequest: 'image=1 StoredImage',
  CreateImageResponse: 'image=1 StoredImage',
  UpdateImageRequest: 'image=1 StoredImage',
  UpdateImageResponse: 'image=1 StoredImage',
  CreateLeaseRequest: 'id=1 string, labels=3 map:string',
  CreateLeaseResponse: '',
  DeleteLeaseRequest: 'id=1 string, sync=2 bool',
  Empty: '',
}

/** WriteAction of the content service. */
export const writeAction = { stat: 0, write: 1, commit: 2 } as const

/** CRI's containers and images live in this namespace of containerd. */
export const criNamespace = 'k8s.io'
