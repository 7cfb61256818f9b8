// A container's environment from all its sources, in Kubernetes' order: services, then envFrom, then env,
// later names winning. `ConfigError` carries what the kubelet says when a source is missing; the container
// then waits with CreateContainerConfigError.
import type { ConfigMap, Container, EnvVar, Pod, Secret } from '../api/generated/models.ts'
import { secretTexts } from '../client/secret-data.ts'
import { fieldValue, resourceValue, type NodeCapacity, type PodAddresses } from './downward-api.ts'
import { expand } from './expand.ts'
import type { EnvironmentVariable } from './service-environment.ts'

export class ConfigError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ConfigError'
  }
}

export interface EnvironmentSources {
  readonly configMap: (name: string) => ConfigMap | undefined
  readonly secret: (name: string) => Secret | undefined
  readonly services: readonly EnvironmentVariable[]
  readonly addresses: PodAddresses
  readonly node: NodeCapacity
}

const variablePattern = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/

/** @throws ConfigError */
export function environmentOf(pod: Pod, container: Container, sources: EnvironmentSources): EnvironmentVariable[] {
  const values = new Map<string, string>(fromSources(container, sources))
  const own = new Map<string, string>()
  const services = new Map(sources.services.map(({ name, value }) => [name, value]))
  for (const variable of container.env ?? []) {
    const value = valueOf(
      pod,
      container,
      variable,
      sources,
      name => own.get(name) ?? values.get(name) ?? services.get(name),
    )
    if (value !== undefined) own.set(variable.name, value)
  }
  return [...new Map([...services, ...values, ...own])].map(([name, value]) => ({ name, value }))
}

function fromSources(container: Container, sources: EnvironmentSources): [string, string][] {
  return (container.envFrom ?? []).flatMap(({ prefix = '', configMapRef, secretRef }) => {
    const data =
      configMapRef !== undefined
        ? (requiredSource('configmap', configMapRef, sources.configMap(configMapRef.name ?? ''))?.data ?? {})
        : secretTexts(requiredSource('secret', secretRef!, sources.secret(secretRef?.name ?? '')) ?? {})
    return Object.entries(data)
      .map(([key, value]): [string, string] => [prefix + key, value])
      .filter(([name]) => variablePattern.test(name))
      .sort(([a], [b]) => (a < b ? -1 : 1))
  })
}

function valueOf(
  pod: Pod,
  container: Container,
  variable: EnvVar,
  sources: EnvironmentSources,
  known: (name: string) => string | undefined,
): string | undefined {
  const from = variable.valueFrom
  if (from === undefined || from === null) return expand(variable.value ?? '', known)
  try {
    if (from.fieldRef !== undefined) return fieldValue(pod, from.fieldRef, sources.addresses)
    if (from.resourceFieldRef !== undefined)
      return resourceValue(pod, from.resourceFieldRef, container.name, sources.node)
  } catch (error) {
    throw new ConfigError((error as Error).message)
  }
  if (from.configMapKeyRef !== undefined) {
    const { name = '', key, optional } = from.configMapKeyRef
    const configMap = requiredSource('configmap', from.configMapKeyRef, sources.configMap(name))
    return requiredKey(
      configMap?.data?.[key],
      `couldn't find key ${key} in ConfigMap ${pod.metadata.namespace}/${name}`,
      optional,
    )
  }
  if (from.secretKeyRef !== undefined) {
    const { name = '', key, optional } = from.secretKeyRef
    const secret = requiredSource('secret', from.secretKeyRef, sources.secret(name))
    return requiredKey(
      secretTexts(secret ?? {})[key],
      `couldn't find key ${key} in Secret ${pod.metadata.namespace}/${name}`,
      optional,
    )
  }
  return undefined
}

function requiredSource<T>(
  kind: string,
  reference: { name?: string; optional?: boolean },
  found: T | undefined,
): T | undefined {
  if (found === undefined && reference.optional !== true)
    throw new ConfigError(`${kind} "${reference.name ?? ''}" not found`)
  return found
}

function requiredKey(value: string | undefined, message: string, optional: boolean | undefined): string | undefined {
  if (value === undefined && optional !== true) throw new ConfigError(message)
  return value
}
