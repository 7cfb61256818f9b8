// What both kinds of admission webhook share: defaults, rules and where they are called.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, notSupported, required } from '../field-error.ts'
import type {
  AdmissionregistrationWebhookClientConfig as ClientConfig,
  RuleWithOperations,
  ValidatingWebhook,
} from '../generated/models.ts'
import { checkSubdomain } from './formats.ts'
import { validateLabelSelector } from './label-selector.ts'
import { each, requireText, validateUnique } from './scalars.ts'

const operations = new Set(['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'])
const understood = new Set(['v1', 'v1beta1'])

export function defaultWebhook(webhook: ValidatingWebhook): void {
  webhook.failurePolicy ??= 'Fail'
  webhook.matchPolicy ??= 'Equivalent'
  webhook.namespaceSelector ??= {}
  webhook.objectSelector ??= {}
  webhook.timeoutSeconds ??= 10
  if (webhook.clientConfig.service !== undefined) webhook.clientConfig.service.port ??= 443
  for (const rule of webhook.rules ?? []) rule.scope ??= '*'
}

export function validateWebhooks(webhooks: readonly ValidatingWebhook[] | undefined): FieldError[] {
  return joinErrors(
    each(webhooks, 'webhooks', (webhook, path) => validateWebhook(webhook, path)),
    validateUnique(webhooks, 'webhooks', webhook => webhook.name, 'name'),
  )
}

function validateWebhook(
  webhook: Partial<ValidatingWebhook> & Pick<ValidatingWebhook, 'clientConfig'>,
  field: string,
): FieldError[] {
  const {
    name = '',
    admissionReviewVersions: versions = [],
    sideEffects = '',
    timeoutSeconds = 10,
    failurePolicy = '',
    matchPolicy = '',
  } = webhook
  return joinErrors(
    requireText(name, `${field}.name`, checkSubdomain),
    name !== '' && name.split('.').length < 3
      ? [invalidValue(`${field}.name`, name, 'should be a domain with at least three segments separated by dots')]
      : [],
    each(webhook.rules, `${field}.rules`, validateRule),
    validateOneOf(failurePolicy, ['Fail', 'Ignore'], `${field}.failurePolicy`),
    validateOneOf(matchPolicy, ['Equivalent', 'Exact'], `${field}.matchPolicy`),
    sideEffects === ''
      ? [required(`${field}.sideEffects`, 'must specify one of None, NoneOnDryRun')]
      : validateOneOf(sideEffects, ['None', 'NoneOnDryRun'], `${field}.sideEffects`),
    timeoutSeconds < 1 || timeoutSeconds > 30
      ? [invalidValue(`${field}.timeoutSeconds`, timeoutSeconds, 'the timeout value must be between 1 and 30 seconds')]
      : [],
    versions.length === 0
      ? [required(`${field}.admissionReviewVersions`, 'must specify one of v1, v1beta1')]
      : versions.some(version => understood.has(version))
        ? []
        : [invalidValue(`${field}.admissionReviewVersions`, versions, 'must include at least one of v1, v1beta1')],
    validateLabelSelector(webhook.namespaceSelector, `${field}.namespaceSelector`),
    validateLabelSelector(webhook.objectSelector, `${field}.objectSelector`),
    validateClientConfig(webhook.clientConfig, `${field}.clientConfig`),
  )
}

const validateOneOf = (value: string, supported: readonly string[], field: string): FieldError[] =>
  supported.includes(value) ? [] : [notSupported(field, value, supported)]

export function validateRule(rule: RuleWithOperations, field: string): FieldError[] {
  const some = (name: 'apiGroups' | 'apiVersions' | 'resources' | 'operations'): FieldError[] => {
    const values = rule[name] ?? []
    if (values.length === 0) return [required(`${field}.${name}`)]
    return values.length > 1 && values.includes('*') && name !== 'resources'
      ? [
          invalidValue(
            `${field}.${name}`,
            values,
            `if '*' is present, must not specify other ${name === 'apiGroups' ? 'API groups' : name === 'apiVersions' ? 'API versions' : 'operations'}`,
          ),
        ]
      : []
  }
  return joinErrors(
    some('operations'),
    each(rule.operations, `${field}.operations`, (operation, path) =>
      operations.has(operation) ? [] : [notSupported(path, operation, [...operations])],
    ),
    some('apiGroups'),
    some('apiVersions'),
    each(rule.apiVersions, `${field}.apiVersions`, (version, path) => (version === '' ? [required(path)] : [])),
    some('resources'),
    validateResources(rule.resources ?? [], `${field}.resources`),
    rule.scope === undefined ? [] : validateOneOf(rule.scope, ['*', 'Cluster', 'Namespaced'], `${field}.scope`),
  )
}

/** What one entry says already, another one must not say again. */
function validateResources(resources: readonly string[], field: string): FieldError[] {
  const parts = resources.map(resource => resource.split(/\/(.*)/s))
  const plain = resources.findLast(resource => resource !== '' && !resource.includes('/'))
  return joinErrors(
    each(resources, field, (resource, path, index) => {
      if (resource === '') return [required(path)]
      const [name = '', subresource] = parts[index]!
      if (subresource === undefined) return []
      const before = new Set(resources.slice(0, index))
      const covering = [`${name}/*`, `*/${subresource}`].filter(other => before.has(other))
      return covering.map(other =>
        invalidValue(path, resource, `if '${other}' is present, must not specify ${resource}`),
      )
    }),
    resources.length > 1 && resources.includes('*/*')
      ? [invalidValue(field, resources, "if '*/*' is present, must not specify other resources")]
      : [],
    resources.includes('*') && plain !== '*'
      ? [invalidValue(field, resources, "if '*' is present, must not specify other resources without subresources")]
      : [],
  )
}

function validateClientConfig({ url, service }: ClientConfig, field: string): FieldError[] {
  if ((url === undefined) === (service === undefined))
    return [required(`${field}.url`, 'exactly one of url or service is required')]
  if (service !== undefined)
    return joinErrors(
      requireText(service.name, `${field}.service.name`),
      requireText(service.namespace, `${field}.service.namespace`),
    )
  return /^https:\/\/[^/?#@]+([/][^?#]*)?$/.test(url!)
    ? []
    : [invalidValue(`${field}.url`, url, "'https' is the only allowed URL scheme; desired format: https://host[/path]")]
}
