// A port of this machine that leads to a port of an instance, through the API: each connection goes to one that is ready
// then, so that a way outlives the instance it began with.
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { Pod } from '../../../api/generated/models.ts'
import { pods } from '../../../api/resources.ts'
import { isReady, isTerminating } from '../../../control/pods.ts'
import { openServerPortForward } from '../../../streams/remote-client.ts'
import { DeployError } from '../../deploy-error.ts'
import type { Way } from '../engine.ts'
import type { Place } from '../parts.ts'
import type { StreamingClient } from './attached.ts'
import { label, partNameOf, selectorText, serviceLabels } from './labels.ts'

export async function reach(
  client: StreamingClient,
  place: Place,
  { workload, port }: { readonly workload: string; readonly port: number },
): Promise<Way> {
  await readyPod(client, place, workload)
  const connections = new Set<Socket>()
  const server = createServer(socket => {
    connections.add(socket)
    socket.on('close', () => connections.delete(socket))
    // Whoever connected sees that it ended.
    connect(socket).catch(() => socket.destroy())
  })

  async function connect(socket: Socket): Promise<void> {
    socket.on('error', () => {})
    const pod = await readyPod(client, place, workload)
    const path = `/api/v1/namespaces/${place.namespace}/pods/${encodeURIComponent(pod.metadata.name)}/portforward?ports=${port}`
    const far = await openServerPortForward(client.streaming(), path, port)
    far.on('error', () => socket.destroy())
    far.on('close', () => socket.destroySoon())
    socket.on('close', () => far.destroy())
    socket.pipe(far).pipe(socket)
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close()
      for (const socket of connections) socket.destroy()
    },
  }
}

async function readyPod(client: StreamingClient, { namespace, service }: Place, workload: string): Promise<Pod> {
  const labelSelector = `${selectorText(serviceLabels(service))},${label.track}`
  const { items } = await client.list(pods, { namespace, labelSelector })
  const instances = items.filter(({ metadata }) => partNameOf(metadata) === workload)
  const ready = instances.find(pod => isReady(pod) && !isTerminating(pod))
  if (ready !== undefined) return ready
  throw new DeployError(
    `no instance of "${workload}" in the namespace ${namespace} can be reached: expected one that is ready, found ${instances.length} that are not`,
  )
}
