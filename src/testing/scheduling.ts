// Nodes, pods and storage for tests of the scheduler's decisions, and what the scheduler knows of them.
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../api/generated/models.ts'
import { classOfVolume } from '../api/persistent-storage.ts'
import { Snapshot } from '../scheduler/snapshot.ts'
import { selectedNode, type StorageView } from '../scheduler/volumes.ts'

export function node(
  name: string,
  spec: Partial<Node['spec']> = {},
  labels: Record<string, string> = {},
  allocatable: Record<string, string> = { cpu: '2', memory: '4Gi', pods: '10' },
): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '',
      labels: { 'kubernetes.io/hostname': name, ...labels },
    },
    spec,
    status: { allocatable },
  }
}

let serial = 0

export function pod(
  spec: Partial<Pod['spec']> = {},
  requests: Record<string, string> = {},
  labels: Record<string, string> = {},
  name = `pod-${serial++}`,
): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'n', uid: name, resourceVersion: '1', creationTimestamp: '', labels },
    spec: { containers: [{ name: 'c', resources: { requests } }], ...spec },
    status: {},
  }
}

export function snapshotOf(nodes: readonly Node[], ...pods: readonly Pod[]): Snapshot {
  const snapshot = new Snapshot()
  for (const one of nodes) snapshot.setNode(one)
  for (const one of pods) snapshot.setPod(one)
  return snapshot
}

/** What there is of storage, and nothing on its way to anybody. */
export function storageOf(
  claims: readonly PersistentVolumeClaim[] = [],
  volumes: readonly PersistentVolume[] = [],
  classes: readonly StorageClass[] = [],
): StorageView {
  return {
    claim: (namespace, name) =>
      claims.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name),
    volume: name => volumes.find(({ metadata }) => metadata.name === name),
    volumesOf: className => volumes.filter(volume => classOfVolume(volume) === className),
    storageClass: name => classes.find(({ metadata }) => metadata.name === name),
    nodeOf: selectedNode,
    isTaken: () => false,
  }
}
