// A pod that no node takes, as the scheduler and an autoscaler of nodes say it.
import type { CoreEvent, Pod, PodSpec } from '../api/generated/models.ts'
import type { KubeObject, ObjectName } from '../api/object.ts'
import { events, pods } from '../api/resources.ts'
import type { Client } from '../client/client.ts'

export async function addUnplacedPod(
  client: Client,
  owner: KubeObject,
  metadata: { readonly name: string; readonly namespace: string; readonly labels: Record<string, string> },
  spec: PodSpec,
): Promise<void> {
  const { apiVersion, kind } = owner
  const { name, uid } = owner.metadata
  const ownerReferences = [{ apiVersion, kind, name, uid, controller: true }]
  await client.create<Pod>(pods, { metadata: { ...metadata, ownerReferences }, spec })
  await sayUnplaced(client, metadata, '0/1 nodes: no cpu')
}

export function sayUnplaced(client: Client, { namespace, name }: ObjectName, message: string): Promise<Pod> {
  const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }]
  const change = { type: 'merge', value: { status: { conditions } } } as const
  return client.patch(pods, { ...(namespace !== undefined && { namespace }), name }, change, { subresource: 'status' })
}

export async function sayNodeComes(client: Client, namespace: string, pod: string): Promise<void> {
  await client.create<CoreEvent>(events, {
    metadata: { name: 'up', namespace },
    involvedObject: { kind: 'Pod', namespace, name: pod },
    reason: 'TriggeredScaleUp',
    type: 'Normal',
    message: 'a node comes',
  })
}
