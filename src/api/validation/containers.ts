// Containers of a pod: ordinary, init and ephemeral ones.
import type { FieldError } from '../field-error.ts'
import { duplicate, forbiddenField, invalidValue, joinErrors, notFoundValue, required } from '../field-error.ts'
import type {
  Container,
  ContainerPort,
  EnvFromSource,
  EnvVar,
  EphemeralContainer,
  PodSpec,
  SecurityContext,
  VolumeMount,
} from '../generated/models.ts'
import { environmentFields, validateFieldRef, validateKeyRef, validateResourceFieldRef } from './field-sources.ts'
import { checkEnvironmentName, checkLabel, checkPortName, isPort, portRangeMessage } from './formats.ts'
import { validateLifecycle, validateProbe } from './probes.ts'
import { validateResources } from './resources.ts'
import { each, optionalOneOf, requireText, validateOneOf, validateUnique } from './scalars.ts'
import { validateSecurityIds } from './security.ts'
import { validateDescendingPath } from './volumes.ts'

export function validateContainers(spec: PodSpec, field: string): FieldError[] {
  const { containers = [], initContainers } = spec as Partial<PodSpec>
  if (containers.length === 0) return [required(`${field}.containers`)]
  const mountable = new Set((spec.volumes ?? []).map(volume => volume.name))
  const names = new Set(containers.map(container => container.name))
  return joinErrors(
    each(containers, `${field}.containers`, (container, path) =>
      joinErrors(validateContainer(container, mountable, path), validateRunning(container, path)),
    ),
    validateUnique(containers, `${field}.containers`, container => container.name, 'name'),
    validateHostPorts(containers, `${field}.containers`),
    each(initContainers, `${field}.initContainers`, (container, path) =>
      joinErrors(validateContainer(container, mountable, path), validateInit(container, names, path)),
    ),
    validateUnique(initContainers, `${field}.initContainers`, container => container.name, 'name'),
  )
}

/** Ephemeral containers may be added to running pods only. */
export function validateEphemeralContainers(spec: PodSpec, field: string): FieldError[] {
  const mountable = new Set((spec.volumes ?? []).map(volume => volume.name))
  const taken = new Set([...(spec.initContainers ?? []), ...spec.containers].map(container => container.name))
  return joinErrors(
    each(spec.ephemeralContainers, `${field}.ephemeralContainers`, (container, path) =>
      joinErrors(
        validateContainer(container, mountable, path),
        taken.has(container.name) ? [duplicate(`${path}.name`, container.name)] : [],
        (['ports', 'lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const)
          .filter(name => container[name] !== undefined)
          .map(name => forbiddenField(`${path}.${name}`, 'cannot be set for an Ephemeral Container')),
      ),
    ),
    validateUnique(spec.ephemeralContainers, `${field}.ephemeralContainers`, container => container.name, 'name'),
  )
}

function validateContainer(
  container: Container | EphemeralContainer,
  mountable: ReadonlySet<string>,
  field: string,
): FieldError[] {
  const image = container.image ?? ''
  return joinErrors(
    requireText(container.name, `${field}.name`, checkLabel),
    image === ''
      ? [required(`${field}.image`)]
      : image === image.trim()
        ? []
        : [invalidValue(`${field}.image`, image, 'must not have leading or trailing whitespace')],
    optionalOneOf(
      container.terminationMessagePolicy,
      ['File', 'FallbackToLogsOnError'],
      `${field}.terminationMessagePolicy`,
    ),
    validatePorts(container.ports, `${field}.ports`),
    each(container.env, `${field}.env`, validateEnv),
    each(container.envFrom, `${field}.envFrom`, validateEnvFrom),
    validateMounts(container, mountable, `${field}.volumeMounts`),
    validateOneOf(container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never'], `${field}.imagePullPolicy`, true),
    validateResources(container.resources, `${field}.resources`),
    validateSecurityContext(container.securityContext, `${field}.securityContext`),
  )
}

function validateRunning(container: Container, field: string): FieldError[] {
  return joinErrors(
    validateLifecycle(container.lifecycle, `${field}.lifecycle`),
    validateProbe(container.livenessProbe, 'livenessProbe', field),
    validateProbe(container.readinessProbe, 'readinessProbe', field),
    validateProbe(container.startupProbe, 'startupProbe', field),
    optionalOneOf(container.restartPolicy, ['Always', 'OnFailure', 'Never'], `${field}.restartPolicy`),
  )
}

function validateInit(container: Container, names: ReadonlySet<string>, field: string): FieldError[] {
  const taken = names.has(container.name) ? [duplicate(`${field}.name`, container.name)] : []
  if (container.restartPolicy === 'Always') return joinErrors(taken, validateRunning(container, field))
  const forbidden = (['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const)
    .filter(name => container[name] !== undefined)
    .map(name => forbiddenField(`${field}.${name}`, 'may not be set for init containers without restartPolicy=Always'))
  return joinErrors(taken, forbidden)
}

const protocols = ['SCTP', 'TCP', 'UDP']

function validatePorts(ports: readonly ContainerPort[] | undefined, field: string): FieldError[] {
  return joinErrors(
    each(ports, field, (port, path) =>
      joinErrors(
        port.name ? checkPortName(port.name).map(found => invalidValue(`${path}.name`, port.name, found)) : [],
        port.containerPort === undefined || port.containerPort === 0
          ? [required(`${path}.containerPort`)]
          : isPort(port.containerPort)
            ? []
            : [invalidValue(`${path}.containerPort`, port.containerPort, portRangeMessage)],
        port.hostPort === undefined || port.hostPort === 0 || isPort(port.hostPort)
          ? []
          : [invalidValue(`${path}.hostPort`, port.hostPort, portRangeMessage)],
        validateOneOf(port.protocol, protocols, `${path}.protocol`, true),
      ),
    ),
    validateUnique(ports, field, port => port.name, 'name'),
  )
}

/** One host port belongs to one container port of the pod. */
function validateHostPorts(containers: readonly Container[], field: string): FieldError[] {
  const seen = new Set<string>()
  return each(containers, field, (container, path) =>
    each(container.ports, `${path}.ports`, (port, portPath) => {
      if (!port.hostPort) return []
      const key = `${port.protocol}/${port.hostIP ?? ''}/${port.hostPort}`
      if (seen.has(key)) return [duplicate(`${portPath}.hostPort`, key)]
      seen.add(key)
      return []
    }),
  )
}

/** @param isTemplate then a port that is not given is taken from the container's when the pod is made */
export const validateHostNetworkPorts = (
  containers: readonly Container[] | undefined,
  field: string,
  isTemplate: boolean,
): FieldError[] =>
  each(containers, field, (container, path) =>
    each(container.ports, `${path}.ports`, ({ hostPort = 0, containerPort }, portPath) =>
      hostPort === containerPort || (isTemplate && hostPort === 0)
        ? []
        : [invalidValue(`${portPath}.hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true')],
    ),
  )

function validateEnv({ name, value = '', valueFrom }: EnvVar, field: string): FieldError[] {
  const named = requireText(name, `${field}.name`, checkEnvironmentName)
  if (valueFrom === undefined) return named
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(
    source => source !== undefined,
  ).length
  const path = `${field}.valueFrom`
  return joinErrors(
    named,
    fieldRef ? validateFieldRef(fieldRef, environmentFields, `${path}.fieldRef`) : [],
    resourceFieldRef ? validateResourceFieldRef(resourceFieldRef, false, `${path}.resourceFieldRef`) : [],
    configMapKeyRef ? validateKeyRef(configMapKeyRef, `${path}.configMapKeyRef`) : [],
    secretKeyRef ? validateKeyRef(secretKeyRef, `${path}.secretKeyRef`) : [],
    sources === 0
      ? [
          invalidValue(
            path,
            '',
            'must specify one of: `configMapKeyRef`, `fieldRef`, `fileKeyRef`, `resourceFieldRef` or `secretKeyRef`',
          ),
        ]
      : [],
    value !== '' && sources > 0
      ? [invalidValue(path, '', 'may not be specified when `value` is not empty')]
      : sources > 1
        ? [invalidValue(path, '', 'may not have more than one field specified at a time')]
        : [],
  )
}

function validateEnvFrom({ prefix = '', configMapRef, secretRef }: EnvFromSource, field: string): FieldError[] {
  const sources = [configMapRef, secretRef].filter(source => source !== undefined).length
  return joinErrors(
    prefix === '' ? [] : checkEnvironmentName(prefix).map(found => invalidValue(`${field}.prefix`, prefix, found)),
    configMapRef ? requireText(configMapRef.name, `${field}.configMapRef.name`) : [],
    secretRef ? requireText(secretRef.name, `${field}.secretRef.name`) : [],
    sources === 0 ? [invalidValue(field, '', 'must specify one of: `configMapRef` or `secretRef`')] : [],
    sources > 1 ? [invalidValue(field, '', 'may not have more than one field specified at a time')] : [],
  )
}

function validateMounts(
  container: Container | EphemeralContainer,
  mountable: ReadonlySet<string>,
  field: string,
): FieldError[] {
  const paths = new Set<string>()
  return each(container.volumeMounts, field, (mount, path) => {
    const repeated = paths.has(mount.mountPath)
    paths.add(mount.mountPath)
    return joinErrors(
      requireText(mount.name, `${path}.name`),
      mountable.has(mount.name) ? [] : [notFoundValue(`${path}.name`, mount.name)],
      requireText(mount.mountPath, `${path}.mountPath`),
      repeated ? [invalidValue(`${path}.mountPath`, mount.mountPath, 'must be unique')] : [],
      validateMountOptions(mount, container.securityContext, path),
    )
  })
}

function validateMountOptions(mount: VolumeMount, security: SecurityContext | undefined, field: string): FieldError[] {
  const bidirectional = mount.mountPropagation === 'Bidirectional' && security?.privileged !== true
  return joinErrors(
    mount.subPath && mount.subPathExpr
      ? [invalidValue(`${field}.subPathExpr`, mount.subPathExpr, 'subPathExpr and subPath are mutually exclusive')]
      : [],
    validateDescendingPath(mount.subPath, `${field}.subPath`),
    validateDescendingPath(mount.subPathExpr, `${field}.subPathExpr`),
    bidirectional
      ? [
          forbiddenField(
            `${field}.mountPropagation`,
            'Bidirectional mount propagation is available only to privileged containers',
          ),
        ]
      : optionalOneOf(
          mount.mountPropagation,
          ['Bidirectional', 'HostToContainer', 'None'],
          `${field}.mountPropagation`,
        ),
  )
}

function validateSecurityContext(security: SecurityContext | undefined, field: string): FieldError[] {
  if (security === undefined) return []
  const contradiction = security.allowPrivilegeEscalation === false && security.privileged === true
  return joinErrors(
    validateSecurityIds(security, field),
    optionalOneOf(security.procMount, ['Default', 'Unmasked'], `${field}.procMount`),
    contradiction
      ? [invalidValue(field, security, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true')]
      : [],
  )
}
