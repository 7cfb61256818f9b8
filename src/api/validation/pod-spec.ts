// The specification of a pod, wherever it stands: in a Pod or in the template of a workload.
import type { Int64 } from '../../lib/int64.ts'
import type { FieldError } from '../field-error.ts'
import { forbiddenField, invalidValue, joinErrors, required } from '../field-error.ts'
import type { PodSpec, PodTemplateSpec } from '../generated/models.ts'
import { validateContainers, validateHostNetworkPorts } from './containers.ts'
import { checkLabel, checkSubdomain, isIP } from './formats.ts'
import { validateAnnotations, validateLabels } from './object-meta.ts'
import { validateAffinity, validateSpread, validateTolerations } from './placement.ts'
import { validateResources } from './resources.ts'
import { collect, each, optionalOneOf, validateOneOf, validateUnique } from './scalars.ts'
import { validatePodSecurity } from './security.ts'
import { validateVolumes } from './volumes.ts'

const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']

/** @param isTemplate of pods that are still to be made */
export function validatePodSpec(spec: PodSpec, field: string, isTemplate = false): FieldError[] {
  const optionalName = (
    name: 'nodeName' | 'serviceAccountName' | 'priorityClassName' | 'runtimeClassName',
  ): FieldError[] => (spec[name] ? collect(checkSubdomain, `${field}.${name}`, spec[name]) : [])
  return joinErrors(
    validateVolumes(spec.volumes, `${field}.volumes`),
    validateContainers(spec, field),
    spec.resources ? validateResources(spec.resources, `${field}.resources`) : [],
    validateOneOf(spec.restartPolicy, ['Always', 'OnFailure', 'Never'], `${field}.restartPolicy`, true),
    validateOneOf(spec.dnsPolicy, dnsPolicies, `${field}.dnsPolicy`, true),
    validateLabels(spec.nodeSelector, `${field}.nodeSelector`),
    spec.hostNetwork === true ? validateHostNetworkPorts(spec.containers, `${field}.containers`, isTemplate) : [],
    validatePodSecurity(spec.securityContext, `${field}.securityContext`),
    each(spec.imagePullSecrets, `${field}.imagePullSecrets`, (secret, path) =>
      secret.name ? [] : [required(`${path}.name`)],
    ),
    validateAffinity(spec.affinity, `${field}.affinity`),
    validateDns(spec, field),
    validateSpread(spec.topologySpreadConstraints, `${field}.topologySpreadConstraints`),
    optionalName('serviceAccountName'),
    optionalName('nodeName'),
    validateDeadline(spec.activeDeadlineSeconds, `${field}.activeDeadlineSeconds`),
    spec.hostname ? collect(checkLabel, `${field}.hostname`, spec.hostname) : [],
    spec.subdomain ? collect(checkLabel, `${field}.subdomain`, spec.subdomain) : [],
    validateTolerations(spec.tolerations, `${field}.tolerations`),
    each(spec.hostAliases, `${field}.hostAliases`, (alias, path) =>
      joinErrors(
        isIP(alias.ip ?? '') ? [] : [invalidValue(`${path}.ip`, alias.ip, 'must be valid IP address')],
        each(alias.hostnames, `${path}.hostnames`, (hostname, namePath) => collect(checkSubdomain, namePath, hostname)),
      ),
    ),
    optionalName('priorityClassName'),
    optionalName('runtimeClassName'),
    optionalOneOf(spec.preemptionPolicy, ['Never', 'PreemptLowerPriority'], `${field}.preemptionPolicy`),
    validateUnique(spec.schedulingGates, `${field}.schedulingGates`, gate => gate.name, 'name'),
  )
}

const maximumSeconds = 2_147_483_647

const validateDeadline = (seconds: Int64 | undefined, field: string): FieldError[] =>
  seconds === undefined || (seconds >= 1 && seconds <= maximumSeconds)
    ? []
    : [invalidValue(field, seconds, `must be between 1 and ${maximumSeconds}, inclusive`)]

/** They may stand within a part of a domain, and one at its beginning. */
const withoutUnderscores = (domain: string): string =>
  domain.replaceAll(/(^|\.)_(?=[a-z0-9])/g, '$1').replaceAll('_', '-')

function validateDns({ dnsConfig, dnsPolicy }: PodSpec, field: string): FieldError[] {
  const path = `${field}.dnsConfig`
  const { nameservers = [], searches = [] } = dnsConfig ?? {}
  return joinErrors(
    dnsPolicy !== 'None'
      ? []
      : dnsConfig === undefined
        ? [required(path, 'must provide `dnsConfig` when `dnsPolicy` is None')]
        : nameservers.length === 0
          ? [required(`${path}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None')]
          : [],
    nameservers.length > 3
      ? [invalidValue(`${path}.nameservers`, nameservers, 'must not have more than 3 nameservers')]
      : [],
    each(nameservers, `${path}.nameservers`, (address, at) =>
      isIP(address) ? [] : [invalidValue(at, address, 'must be valid IP address')],
    ),
    searches.length > 32 ? [invalidValue(`${path}.searches`, searches, 'must not have more than 32 search paths')] : [],
    each(searches, `${path}.searches`, (search, at) =>
      search === '.' ? [] : collect(checkSubdomain, at, withoutUnderscores(search.replace(/\.$/, ''))),
    ),
    each(dnsConfig?.options, `${path}.options`, (option, at) =>
      option.name ? [] : [required(at, 'must not be empty')],
    ),
  )
}

/** The template of a workload. */
export function validatePodTemplate(template: PodTemplateSpec | undefined, field: string): FieldError[] {
  const spec = template?.spec
  return joinErrors(
    validateLabels(template?.metadata?.labels, `${field}.labels`),
    validateAnnotations(template?.metadata?.annotations, `${field}.annotations`),
    spec === undefined ? [required(`${field}.spec.containers`)] : validatePodSpec(spec, `${field}.spec`, true),
    (spec?.ephemeralContainers ?? []).length > 0
      ? [forbiddenField(`${field}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template')]
      : [],
  )
}
