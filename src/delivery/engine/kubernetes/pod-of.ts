// How an instance or a run is started, as a pod's container and its volumes. Pure.
import type {
  Container,
  EnvVar,
  PodSecurityContext,
  PodSpec,
  ResourceRequirements,
  SecurityContext,
  Volume,
} from '../../../api/generated/models.ts'
import type { MountedFile, Process, Resources, Security, Sidecar, Variable } from '../parts.ts'
import { annotation, objectName } from './labels.ts'

/** Templates of pods differ in what is added to this. @param name of the container */
export function podOf(
  name: string,
  process: Process,
  more: Partial<Container> = {},
  beside: readonly (Sidecar & { readonly more: Partial<Container> })[] = [],
): PodSpec {
  const volumes = volumesOf([process, ...beside.map(sidecar => sidecar.process)].flatMap(({ files }) => files))
  return {
    enableServiceLinks: false,
    securityContext: podSecurity,
    // Those that go on are started before the others, and ended after them.
    ...(beside.length > 0 && {
      initContainers: beside.map(sidecar => ({
        ...containerOf(sidecar.name, sidecar.process),
        ...sidecar.more,
        restartPolicy: 'Always',
      })),
    }),
    containers: [{ ...containerOf(name, process), ...more }],
    ...(volumes.length > 0 && { volumes }),
  }
}

/** Of the pod: an image whose digest is not known is pulled for each delivery. */
export const pullAnnotations = ({ pullMark }: Process): Record<string, string> =>
  pullMark === undefined ? {} : { [annotation.delivered]: pullMark }

function containerOf(name: string, process: Process): Container {
  const { image, pullMark, command, variables, files, resources, security } = process
  const requirements = requirementsOf(resources)
  return {
    name: objectName(name),
    image,
    ...(pullMark !== undefined && { imagePullPolicy: 'Always' }),
    ...(command.length > 0 && { command: command.map(literal) }),
    env: Object.entries(variables).map(([variable, value]) => envOf(variable, value)),
    ...(requirements !== undefined && { resources: requirements }),
    securityContext: containerSecurity(security),
    ...(files.length > 0 && { volumeMounts: files.map(mountOf) }),
  }
}

/** Kubernetes replaces `$(NAME)` in commands and values, and takes `$$` for a dollar. */
export const literal = (text: string): string => (/\$[$(]/.test(text) ? text.replaceAll('$', '$$$$') : text)

function envOf(name: string, variable: Variable): EnvVar {
  if ('value' in variable) return { name, value: literal(variable.value) }
  const { key } = variable
  return 'secret' in variable
    ? { name, valueFrom: { secretKeyRef: { name: variable.secret, key } } }
    : { name, valueFrom: { configMapKeyRef: { name: variable.configuration, key } } }
}

function requirementsOf({ cpu, cpuLimit, memory }: Resources): ResourceRequirements | undefined {
  const requests = { ...(cpu !== undefined && { cpu }), ...(memory !== undefined && { memory }) }
  const limits = { ...(cpuLimit !== undefined && { cpu: cpuLimit }), ...(memory !== undefined && { memory }) }
  if (Object.keys({ ...requests, ...limits }).length === 0) return undefined
  return {
    ...(Object.keys(requests).length > 0 && { requests }),
    ...(Object.keys(limits).length > 0 && { limits }),
  }
}

const podSecurity: PodSecurityContext = { seccompProfile: { type: 'RuntimeDefault' } }

const containerSecurity = ({ root, user, capabilities, readOnlyRoot }: Security): SecurityContext => ({
  runAsNonRoot: !root,
  ...(user !== undefined && { runAsUser: user }),
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'], ...(capabilities.length > 0 && { add: [...capabilities] }) },
  ...(readOnlyRoot && { readOnlyRootFilesystem: true }),
})

const volumeName = (bundle: string): string => objectName(bundle.replaceAll('.', '-'))

function volumesOf(files: readonly MountedFile[]): Volume[] {
  const bundles = new Map(files.map(({ bundle, secret }) => [bundle, secret]))
  return [...bundles].map(([bundle, secret]) => ({
    name: volumeName(bundle),
    ...(secret ? { secret: { secretName: bundle } } : { configMap: { name: bundle } }),
  }))
}

const mountOf = ({ path, bundle, key }: MountedFile): NonNullable<Container['volumeMounts']>[number] => ({
  name: volumeName(bundle),
  mountPath: path,
  subPath: key,
  readOnly: true,
})
