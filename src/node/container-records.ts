// What is written to a container's annotations so that it can be ended as its pod wants it when nobody has the
// pod: the server is gone, or the pod was deleted while it was. Names as the kubelet writes them.
import type { Container, Pod } from '../api/generated/models.ts'
import type { ContainerSummary, Labels, Runtime } from '../cri/runtime.ts'
import type { Clock } from '../lib/clock.ts'
import { endContainer } from './end-container.ts'

const graceName = 'io.kubernetes.pod.terminationGracePeriod'
const preStopName = 'io.kubernetes.container.preStopHandler'
const portsName = 'io.kubernetes.container.ports'
const usualGraceSeconds = 30

export const endingAnnotations = (pod: Pod, { lifecycle, ports }: Container): Labels => ({
  [graceName]: String(pod.spec.terminationGracePeriodSeconds ?? usualGraceSeconds),
  ...(lifecycle?.preStop !== undefined && { [preStopName]: JSON.stringify(lifecycle.preStop) }),
  ...(ports !== undefined && ports.length > 0 && { [portsName]: JSON.stringify(ports) }),
})

/** Ends everything that runs, or what runs in one sandbox; resolves when it has ended. */
export async function endRecorded(
  runtime: Runtime,
  clock: Clock,
  limitSeconds: number,
  isMeant: (container: ContainerSummary) => boolean = () => true,
): Promise<void> {
  const running = (await runtime.listContainers()).filter(one => one.state === 'running' && isMeant(one))
  await Promise.allSettled(running.map(container => endOne(runtime, clock, limitSeconds, container)))
}

async function endOne(runtime: Runtime, clock: Clock, limitSeconds: number, found: ContainerSummary): Promise<void> {
  const { annotations } = found
  const graceSeconds = Number(annotations[graceName] ?? usualGraceSeconds)
  const preStop = parsed<NonNullable<Container['lifecycle']>['preStop']>(annotations[preStopName])
  const ports = parsed<Container['ports']>(annotations[portsName])
  const container: Container = {
    name: found.name,
    ...(preStop && { lifecycle: { preStop } }),
    ...(ports && { ports }),
  }
  const address = await runtime.podSandboxStatus(found.sandboxId).then(
    status => status.address,
    () => undefined,
  )
  await endContainer({
    target: { runtime, containerId: found.id, container, address: address ?? '127.0.0.1' },
    clock,
    gracePeriodSeconds: Math.min(graceSeconds, limitSeconds),
    onHookFailed: () => {},
  })
}

const parsed = <T>(text: string | undefined): T | undefined =>
  text === undefined ? undefined : (JSON.parse(text) as T)
