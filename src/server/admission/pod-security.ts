// PodSecurity: holds pods (and, as warnings, the templates of workloads) to the level that the labels of
// their namespace name. `enforce` refuses, `warn` tells the client, `audit` is for the audit log.
import { forbidden } from '../../api/api-error.ts'
import type { CronJob, Deployment, Namespace, Pod, PodSpec } from '../../api/generated/models.ts'
import type { KubeObject } from '../../api/object.ts'
import { formatFindings, securityFindings, type SecurityLevel } from '../../api/pod-security.ts'
import { namespaces } from '../../api/resources.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import type { AdmissionPlugin } from '../server-context.ts'

const prefix = 'pod-security.kubernetes.io/'
const levels: ReadonlySet<SecurityLevel> = new Set(['privileged', 'baseline', 'restricted'])
const workloads = new Set(['cronjobs', 'daemonsets', 'deployments', 'jobs', 'podtemplates', 'replicasets', 'replicationcontrollers', 'statefulsets'])
const groups = new Set(['', 'apps', 'batch'])

interface Policy { readonly level: SecurityLevel; readonly version: string }

function policyOf({ metadata }: Namespace, mode: 'enforce' | 'warn'): Policy {
  const level = metadata.labels?.[`${prefix}${mode}`] as SecurityLevel | undefined
  return { level: level === undefined ? 'privileged' : levels.has(level) ? level : 'restricted', version: metadata.labels?.[`${prefix}${mode}-version`] ?? 'latest' }
}

const templateOf = (object: KubeObject): { metadata?: object; spec?: PodSpec } | undefined => {
  if (object.kind === 'PodTemplate') return (object as KubeObject & { template?: Deployment['spec']['template'] }).template
  return object.kind === 'CronJob' ? (object as CronJob).spec.jobTemplate.spec?.template : (object as Deployment).spec.template
}

export const podSecurity: AdmissionPlugin = {
  name: 'PodSecurity',
  validate({ operation, target, object, old, caller }, { storage }) {
    const { resource } = target.kind
    if (operation === 'DELETE' || object === undefined || target.namespace === undefined || !groups.has(resource.group)) return
    const isPod = resource.group === '' && resource.plural === 'pods'
    const isWorkload = workloads.has(resource.plural) && target.subresource === undefined
    if (!isWorkload && (!isPod || (target.subresource !== undefined && target.subresource !== 'ephemeralcontainers'))) return
    const namespace = storage.get(namespaces, target.namespace)?.object as Namespace | undefined
    if (namespace === undefined) return
    const warn = policyOf(namespace, 'warn')
    if (!isPod) {
      const template = templateOf(object)
      if (template?.spec === undefined) return
      const findings = securityFindings({ spec: template.spec }, warn.level)
      if (findings.length > 0) caller.warnings.push(`would violate PodSecurity "${warn.level}:${warn.version}": ${formatFindings(findings)}`)
      return
    }
    const pod = object as Pod
    if (old !== undefined && sameJson(pod.spec, (old as Pod).spec)) return
    const enforce = policyOf(namespace, 'enforce')
    const refused = securityFindings(pod, enforce.level)
    if (refused.length > 0) throw forbidden(resource, pod.metadata.name ?? '', `violates PodSecurity "${enforce.level}:${enforce.version}": ${formatFindings(refused)}`)
    const warned = securityFindings(pod, warn.level)
    if (warned.length > 0) caller.warnings.push(`would violate PodSecurity "${warn.level}:${warn.version}": ${formatFindings(warned)}`)
  },
}
