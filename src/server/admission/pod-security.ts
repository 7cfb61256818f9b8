// PodSecurity: holds pods (and, as warnings, the templates of workloads) to the level that the labels of
// their namespace name. `enforce` refuses, `warn` tells the client, `audit` is for the audit log.
import { forbidden } from '../../api/api-error.ts'
import type { CronJob, Deployment, Namespace, Pod, PodSpec } from '../../api/generated/models.ts'
import type { KubeObject } from '../../api/object.ts'
import { formatFindings, securityFindings } from '../../api/pod-security.ts'
import { namespaces } from '../../api/resources.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import type { Caller } from '../request.ts'
import type { AdmissionPlugin } from '../server-context.ts'
import { checkNamespacePolicy, policyOf, prefix, type Policy } from './pod-security-policy.ts'

const workloads = new Set([
  'cronjobs',
  'daemonsets',
  'deployments',
  'jobs',
  'podtemplates',
  'replicasets',
  'replicationcontrollers',
  'statefulsets',
])
const groups = new Set(['', 'apps', 'batch'])

const templateOf = (object: KubeObject): { metadata?: object; spec?: PodSpec } | undefined => {
  if (object.kind === 'PodTemplate')
    return (object as KubeObject & { template?: Deployment['spec']['template'] }).template
  return object.kind === 'CronJob'
    ? (object as CronJob).spec.jobTemplate.spec?.template
    : (object as Deployment).spec.template
}

export const podSecurity: AdmissionPlugin = {
  name: 'PodSecurity',
  validate({ operation, target, object, old, caller }, { storage }) {
    const { resource } = target.kind
    if (operation === 'DELETE' || object === undefined || !groups.has(resource.group)) return
    if (resource.plural === namespaces.plural && target.subresource === undefined)
      return checkNamespacePolicy(object as Namespace, old as Namespace | undefined, storage, caller)
    if (target.namespace === undefined) return
    const isPod = resource.group === '' && resource.plural === 'pods'
    const isWorkload = workloads.has(resource.plural) && target.subresource === undefined
    if (!isWorkload && (!isPod || (target.subresource !== undefined && target.subresource !== 'ephemeralcontainers')))
      return
    const namespace = storage.get(namespaces, target.namespace)?.object as Namespace | undefined
    if (namespace === undefined) return
    const template = isPod ? undefined : templateOf(object)
    if (!isPod) {
      if (template?.spec === undefined) return
      noteForAudit({ spec: template.spec }, namespace, caller)
      warnOf({ spec: template.spec }, namespace, caller)
      return
    }
    const pod = object as Pod
    if (old !== undefined && sameJson(pod.spec, (old as Pod).spec)) return
    const enforce = policyOf(namespace, 'enforce')
    caller.annotate?.(`${prefix}enforce-policy`, `${enforce.level}:${enforce.version}`)
    const refused = securityFindings(pod, enforce.level)
    if (refused.length > 0)
      throw forbidden(
        resource,
        pod.metadata.name ?? '',
        `violates PodSecurity "${enforce.level}:${enforce.version}": ${formatFindings(refused)}`,
      )
    noteForAudit(pod, namespace, caller)
    warnOf(pod, namespace, caller)
  },
}

const violation = ({ level, version }: Policy, findings: ReturnType<typeof securityFindings>): string =>
  `would violate PodSecurity "${level}:${version}": ${formatFindings(findings)}`

function warnOf(pod: { spec: PodSpec }, namespace: Namespace, { warnings }: Caller): void {
  const policy = policyOf(namespace, 'warn')
  const findings = securityFindings(pod, policy.level)
  if (findings.length > 0) warnings.push(violation(policy, findings))
}

function noteForAudit(pod: { spec: PodSpec }, namespace: Namespace, { annotate }: Caller): void {
  if (annotate === undefined) return
  const policy = policyOf(namespace, 'audit')
  const findings = securityFindings(pod, policy.level)
  if (findings.length > 0) annotate(`${prefix}audit-violations`, violation(policy, findings))
}
