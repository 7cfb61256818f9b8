// The expressions of policies and of the match conditions of webhooks are compiled when they are written, so
// that mistakes are refused. CEL is loaded with the first of them.
import type { FieldError } from '../../api/field-error.ts'
import type { KubeObject } from '../../api/object.ts'
import type { MatchCondition, MutatingAdmissionPolicy, ValidatingAdmissionPolicy } from '../../api/generated/models.ts'
import { deepEqual } from '../../api/patch/json-value.ts'
import { throwIfInvalid } from '../operations/finish-object.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../server-context.ts'

const checked = new Set([
  'validatingadmissionpolicies',
  'mutatingadmissionpolicies',
  'validatingwebhookconfigurations',
  'mutatingwebhookconfigurations',
])

export const policyExpressions: AdmissionPlugin = {
  name: 'PolicyExpressions',
  validate(request) {
    const { group, plural } = request.target.kind.resource
    if (
      group !== 'admissionregistration.k8s.io' ||
      !checked.has(plural) ||
      request.target.subresource !== undefined ||
      request.object === undefined
    )
      return undefined
    return check(request, request.object)
  },
}

interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly { readonly matchConditions?: readonly MatchCondition[] }[]
}

async function check({ target: { kind }, old }: AdmissionRequest, object: KubeObject): Promise<void> {
  if (old !== undefined && deepEqual(expressionsOf(old), expressionsOf(object))) return
  throwIfInvalid(kind, object.metadata.name, await problemsOf(kind.resource.plural, object))
}

const expressionsOf = (object: KubeObject): unknown =>
  (object as ValidatingAdmissionPolicy).spec ?? (object as WebhookConfiguration).webhooks

async function problemsOf(plural: string, object: KubeObject): Promise<FieldError[]> {
  const webhooks = (object as WebhookConfiguration).webhooks ?? []
  if (
    plural.endsWith('configurations') &&
    webhooks.every(({ matchConditions }) => (matchConditions ?? []).length === 0)
  )
    return []
  const { validateMatchConditions, validateMutatingPolicyExpressions, validateValidatingPolicyExpressions } =
    await import('../../api/cel/policy-validation.ts')
  switch (plural) {
    case 'validatingadmissionpolicies':
      return validateValidatingPolicyExpressions(object.metadata.name, (object as ValidatingAdmissionPolicy).spec)
    case 'mutatingadmissionpolicies':
      return validateMutatingPolicyExpressions((object as MutatingAdmissionPolicy).spec)
    default:
      return webhooks.flatMap(({ matchConditions }, index) =>
        validateMatchConditions(matchConditions, `webhooks[${index}].matchConditions`, false),
      )
  }
}
