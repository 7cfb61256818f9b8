// From a manifest and a version to the Kubernetes objects of a release. Pure.
import type { Container, Deployment, EnvVar, Namespace, Probe, Service } from '../api/generated/models.ts'
import type { KubeObject, New } from '../api/object.ts'
import type { Resource } from '../api/resource.ts'
import { deployments, services } from '../api/resources.ts'
import { versionVariable, type HealthCheck, type Manifest, type ManifestPort } from './manifest/manifest.ts'

export interface RenderedObject {
  readonly resource: Resource
  readonly object: New<KubeObject>
}

export const managedBy = 'sampan'

/** New requests go elsewhere before an instance is told to stop: as long as that takes to spread. */
const spreadSeconds = 2

/** How long an instance without a health check has to run until it counts. */
const provenSeconds = 5

/** What is known of the image. */
export interface ImageFacts {
  /** What the tag stands for: the release stays that, whatever is pushed under the tag later. */
  readonly digest?: string
  /** Without digest: differs from delivery to delivery, so that a tag that was pushed again is pulled again. */
  readonly unpinned?: string
}

export function render(manifest: Manifest, version: string, image: ImageFacts = {}): RenderedObject[] {
  const objects: RenderedObject[] = [
    { resource: deployments as unknown as Resource, object: deploymentOf(manifest, version, image) as New<KubeObject> },
  ]
  if (manifest.ports.length > 0)
    objects.push({ resource: services as unknown as Resource, object: serviceOf(manifest, version) as New<KubeObject> })
  return objects
}

export const namespaceObject = (name: string): New<Namespace> => ({
  metadata: { name, labels: { 'app.kubernetes.io/managed-by': managedBy } },
})

export const selectorOf = (name: string): Record<string, string> => ({ 'app.kubernetes.io/name': name })

const labelsOf = ({ name }: Manifest, version: string): Record<string, string> => ({
  ...selectorOf(name),
  'app.kubernetes.io/version': version,
  'app.kubernetes.io/managed-by': managedBy,
})

function deploymentOf(manifest: Manifest, version: string, image: ImageFacts): New<Deployment> {
  const { name, namespace, replicas, strategy, stopSeconds, health } = manifest
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels: labelsOf(manifest, version) },
    spec: {
      replicas,
      ...(health === undefined && { minReadySeconds: provenSeconds }),
      selector: { matchLabels: selectorOf(name) },
      strategy:
        strategy === 'recreate'
          ? { type: 'Recreate' }
          : { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } },
      template: {
        metadata: {
          labels: labelsOf(manifest, version),
          ...(image.unpinned !== undefined && { annotations: { 'sampan.dev/delivered': image.unpinned } }),
        },
        spec: {
          terminationGracePeriodSeconds: stopSeconds + spreadSeconds,
          containers: [containerOf(manifest, version, image)],
        },
      },
    },
  }
}

function containerOf(manifest: Manifest, version: string, { digest, unpinned }: ImageFacts): Container {
  const { name, image, command, ports, health, environment, resources } = manifest
  return {
    name,
    image: `${image}:${version}${digest === undefined ? '' : `@${digest}`}`,
    ...(unpinned !== undefined && { imagePullPolicy: 'Always' }),
    ...(command.length > 0 && { command: [...command] }),
    ports: ports.map(({ name: portName, port, protocol }) => ({ name: portName, containerPort: port, protocol })),
    env: [
      { name: versionVariable, value: version },
      ...Object.entries(environment).map(([variable, value]): EnvVar => envOf(variable, value)),
    ],
    ...(Object.keys(resources).length > 0 && {
      resources: {
        requests: { ...resources },
        ...(resources.memory !== undefined && { limits: { memory: resources.memory } }),
      },
    }),
    ...(health !== undefined && {
      readinessProbe: probeOf(health, ports, { periodSeconds: 2, failureThreshold: 2 }),
      livenessProbe: probeOf(health, ports, { periodSeconds: 10, failureThreshold: 6 }),
    }),
    ...(ports.length > 0 && { lifecycle: { preStop: { sleep: { seconds: spreadSeconds } } } }),
  }
}

function envOf(name: string, value: Manifest['environment'][string]): EnvVar {
  if ('value' in value) return { name, value: value.value }
  if ('secret' in value) return { name, valueFrom: { secretKeyRef: { name: value.secret, key: value.key } } }
  return { name, valueFrom: { configMapKeyRef: { name: value.configMap, key: value.key } } }
}

function probeOf(
  health: HealthCheck,
  ports: readonly ManifestPort[],
  timing: Pick<Probe, 'periodSeconds' | 'failureThreshold'>,
): Probe {
  switch (health.kind) {
    case 'http':
      return { httpGet: { path: health.path, port: health.port }, ...timing }
    case 'grpc':
      return { grpc: { port: ports.find(({ name }) => name === health.port)!.port }, ...timing }
    case 'tcp':
      return { tcpSocket: { port: health.port }, ...timing }
  }
}

function serviceOf(manifest: Manifest, version: string): New<Service> {
  const { name, namespace, ports } = manifest
  const exposed = ports.some(({ nodePort }) => nodePort !== undefined)
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, labels: labelsOf(manifest, version) },
    spec: {
      type: exposed ? 'NodePort' : 'ClusterIP',
      selector: selectorOf(name),
      ports: ports.map(({ name: portName, port, protocol, nodePort }) => ({
        name: portName,
        port,
        targetPort: portName,
        protocol,
        ...(nodePort !== undefined && { nodePort }),
      })),
    },
  }
}
