// Instances as objects: a Deployment, or a StatefulSet where something outlives them, and what keeps maintenance from
// taking all of them at once. Pure.
import type {
  Container,
  Deployment,
  PersistentVolumeClaim,
  PodDisruptionBudget,
  PodSpec,
  PodTemplateSpec,
  Probe,
  StatefulSet,
  TopologySpreadConstraint,
} from '../../../api/generated/models.ts'
import type { New } from '../../../api/object.ts'
import { deployments, podDisruptionBudgets, statefulSets } from '../../../api/resources.ts'
import type { HealthCheck, Workload } from '../parts.ts'
import { annotation, label, labelValue, objectName, serviceLabels, trackLabels, versionMarks } from './labels.ts'
import { literal, podOf, pullAnnotations } from './pod-of.ts'
import { typed, type TypedObject } from './typed-object.ts'

/** New requests go elsewhere before an instance is told to stop: as long as that takes to spread. */
const spreadSeconds = 2
/** How long an instance has to run until it counts, where no health check tells it. */
const provenSeconds = 5
const isToProve = ({ health, beside = [] }: Workload): boolean =>
  [{ health }, ...beside].some(each => each.health === undefined)
const dataVolume = 'data'

/** @param instances how many there are to be, where something else than the workload decides that */
export function workloadObjects(
  namespace: string,
  workload: Workload,
  instances = workload.instances,
): readonly [TypedObject, ...TypedObject[]] {
  const main =
    workload.storage === undefined
      ? typed<Deployment>(deployments, deploymentOf(namespace, workload, instances))
      : typed<StatefulSet>(statefulSets, statefulSetOf(namespace, workload, workload.storage, instances))
  return hasBudget(workload, instances)
    ? [main, typed<PodDisruptionBudget>(podDisruptionBudgets, budgetOf(namespace, workload))]
    : [main]
}

export const hasBudget = ({ disruptionBudget }: Workload, instances: number): boolean =>
  disruptionBudget && instances >= 2

const metadataOf = (namespace: string, { name, service, version, track }: Workload): New<Deployment>['metadata'] => {
  const marks = versionMarks(version)
  return {
    name: objectName(name),
    namespace,
    labels: { ...serviceLabels(service), ...marks.labels, [label.track]: labelValue(track) },
    annotations: { [annotation.part]: name, ...marks.annotations },
  }
}

function deploymentOf(namespace: string, workload: Workload, instances: number): New<Deployment> {
  const { service, track, update } = workload
  return {
    metadata: metadataOf(namespace, workload),
    spec: {
      replicas: instances,
      ...(isToProve(workload) && { minReadySeconds: provenSeconds }),
      selector: { matchLabels: trackLabels(service, track) },
      strategy:
        update === 'recreate'
          ? { type: 'Recreate' }
          : { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } },
      template: templateOf(workload, instancePod(workload)),
    },
  }
}

function statefulSetOf(
  namespace: string,
  workload: Workload,
  { path, size }: NonNullable<Workload['storage']>,
  instances: number,
): New<StatefulSet> {
  const { name, service, track, health, process } = workload
  const pod = instancePod(workload)
  const [container] = pod.containers as [Container]
  return {
    metadata: metadataOf(namespace, workload),
    spec: {
      replicas: instances,
      serviceName: objectName(name),
      // One that never became ready must not stand in the way of the one that mends it.
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'RollingUpdate' },
      ...(isToProve(workload) && { minReadySeconds: provenSeconds }),
      selector: { matchLabels: trackLabels(service, track) },
      template: templateOf(workload, {
        ...pod,
        securityContext: {
          ...pod.securityContext,
          // Volumes belong to root until somebody says otherwise.
          ...(process.security.user !== undefined && { fsGroup: process.security.user }),
        },
        containers: [
          {
            ...container,
            volumeMounts: [...(container.volumeMounts ?? []), { name: dataVolume, mountPath: path }],
            // The first start makes the files of a database, which takes its time.
            ...(health !== undefined && {
              startupProbe: probeOf(health, workload, { periodSeconds: 2, failureThreshold: 150 }),
            }),
          },
        ],
      }),
      volumeClaimTemplates: [
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name: dataVolume, labels: claimLabels(workload) },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: size } } },
        } as unknown as PersistentVolumeClaim,
      ],
    },
  }
}

/** By which the claims of a workload are found. */
export const claimLabels = ({ service, track }: Pick<Workload, 'service' | 'track'>): Record<string, string> => ({
  ...serviceLabels(service),
  [label.track]: labelValue(track),
})

function templateOf(workload: Workload, spec: PodSpec): PodTemplateSpec {
  const { name, service, version, track, serving, process } = workload
  const marks = versionMarks(version)
  return {
    metadata: {
      labels: {
        ...serviceLabels(service),
        ...marks.labels,
        [label.track]: labelValue(track),
        ...(serving && { [label.serving]: 'true' }),
      },
      annotations: { [annotation.part]: name, ...marks.annotations, ...pullAnnotations(process) },
    } as NonNullable<PodTemplateSpec['metadata']>,
    spec,
  }
}

function instancePod(workload: Workload): PodSpec {
  const { service, process, beside = [], ports, health, stopSeconds, spread, development } = workload
  const served = ports.length > 0
  return {
    ...podOf(
      service,
      process,
      {
        ...(served && {
          ports: ports.map(({ name, port, protocol }) => ({ name, containerPort: port, protocol })),
          ...(!development && { lifecycle: { preStop: { sleep: { seconds: spreadSeconds } } } }),
        }),
        ...(health !== undefined && {
          readinessProbe: probeOf(health, workload, { periodSeconds: development ? 1 : 2, failureThreshold: 2 }),
          ...(!development && {
            livenessProbe: probeOf(health, workload, { periodSeconds: 10, failureThreshold: 6 }),
          }),
        }),
      },
      beside.map(sidecar => ({ ...sidecar, more: besideProbes(sidecar.health, workload) })),
    ),
    terminationGracePeriodSeconds: development ? stopSeconds : stopSeconds + spreadSeconds,
    ...(spread && { topologySpreadConstraints: [spreadOf(workload)] }),
  }
}

/** A program takes longer to start than a connection. */
const commandTimeoutSeconds = 5

/** @param named whether the ports' names are known where it is asked */
function probeOf(
  health: HealthCheck,
  { ports }: Workload,
  timing: Pick<Probe, 'periodSeconds' | 'failureThreshold'>,
  named = true,
): Probe {
  const numberOf = (name: string): number => ports.find(port => port.name === name)!.port
  const portOf = (name: string): string | number => (named ? name : numberOf(name))
  switch (health.kind) {
    case 'http':
      return { httpGet: { path: health.path, port: portOf(health.port) }, ...timing }
    case 'grpc':
      return { grpc: { port: numberOf(health.port) }, ...timing }
    case 'tcp':
      return { tcpSocket: { port: portOf(health.port) }, ...timing }
    case 'command':
      return { exec: { command: health.command.map(literal) }, timeoutSeconds: commandTimeoutSeconds, ...timing }
  }
}

/** The service begins when the first one holds. */
function besideProbes(health: HealthCheck | undefined, workload: Workload): Partial<Container> {
  if (health === undefined) return {}
  const probe = (periodSeconds: number, failureThreshold: number): Probe =>
    probeOf(health, workload, { periodSeconds, failureThreshold }, false)
  return { startupProbe: probe(1, 60), readinessProbe: probe(2, 2), livenessProbe: probe(10, 6) }
}

/** Each version by itself: the one before does not keep the new one from the best places. */
const spreadOf = ({ service, track }: Workload): TopologySpreadConstraint => ({
  maxSkew: 1,
  topologyKey: 'kubernetes.io/hostname',
  whenUnsatisfiable: 'ScheduleAnyway',
  labelSelector: { matchLabels: trackLabels(service, track) },
  matchLabelKeys: ['pod-template-hash'],
})

const budgetOf = (namespace: string, workload: Workload): New<PodDisruptionBudget> => ({
  metadata: metadataOf(namespace, workload),
  spec: { maxUnavailable: 1, selector: { matchLabels: trackLabels(workload.service, workload.track) } },
})
