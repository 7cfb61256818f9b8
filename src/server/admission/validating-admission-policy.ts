// ValidatingAdmissionPolicy: the policies that are bound refuse writes, or warn of them. What evaluates them is
// loaded when the first one is there.
import { ApiError, forbidden } from '../../api/api-error.ts'
import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from '../../api/generated/models.ts'
import { validatingAdmissionPolicies, validatingAdmissionPolicyBindings } from '../../api/resources.ts'
import type { Caller } from '../request.ts'
import type { AdmissionPlugin, AdmissionRequest, ServerContext } from '../server-context.ts'
import { BoundPolicies, isExempt, type BoundPolicy } from './bound-policies.ts'
import { findParams } from './policy-params.ts'
import { matchedKind } from './resource-rules.ts'

type Bound = BoundPolicy<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding>

interface Denial {
  readonly policy: string
  /** Absent when the policy itself cannot be used. */
  readonly binding?: string | undefined
  readonly message: string
  readonly reason: string
}

const bound = new BoundPolicies(validatingAdmissionPolicies, validatingAdmissionPolicyBindings)

export const validatingAdmissionPolicy: AdmissionPlugin = {
  name: 'ValidatingAdmissionPolicy',
  validate(request, context) {
    const policies = bound.of(context.storage)
    return policies.length === 0 || isExempt(request) ? undefined : validate(policies, request, context)
  },
}

async function validate(policies: readonly Bound[], request: AdmissionRequest, context: ServerContext): Promise<void> {
  const denials: Denial[] = []
  const notes = new AuditNotes()
  for (const one of policies) denials.push(...(await denialsOf(one, request, context, notes)))
  notes.write(request.caller)
  if (denials[0] !== undefined) throw refusal(denials[0], request)
}

async function denialsOf(
  { policy, bindings }: Bound,
  request: AdmissionRequest,
  context: ServerContext,
  notes: AuditNotes,
): Promise<Denial[]> {
  const kind = matchedKind(policy.spec.matchConstraints ?? {}, request, context)
  if (kind === undefined) return []
  const { evaluateValidatingPolicy } = await import('./validating-policy-evaluation.ts')
  const denials: Denial[] = []
  const fails = policy.spec.failurePolicy !== 'Ignore'
  for (const binding of bindings) {
    if (
      binding.spec.matchResources !== undefined &&
      matchedKind(binding.spec.matchResources, request, context) === undefined
    )
      continue
    const names = { policy: policy.metadata.name, binding: binding.metadata.name }
    const found = findParams(policy.spec.paramKind, binding.spec.paramRef, request.target.namespace, context)
    if ('problem' in found) {
      if (fails) denials.push({ ...names, message: `failed to configure binding: ${found.problem}`, reason: 'Invalid' })
      continue
    }
    const results = found.params.map(params => evaluateValidatingPolicy(policy, { request, kind, context, params }))
    for (const { message, reason, index } of results.flatMap(({ failures }) => failures)) {
      for (const action of binding.spec.validationActions ?? []) {
        if (action === 'Deny') denials.push({ ...names, message, reason })
        if (action === 'Warn')
          request.caller.warnings.push(
            `Validation failed for ValidatingAdmissionPolicy '${names.policy}' with binding '${names.binding}': ${message}`,
          )
        if (action === 'Audit')
          notes.failed({
            message,
            ...names,
            expressionIndex: index,
            validationActions: binding.spec.validationActions ?? [],
          })
      }
    }
    for (const { annotationErrors, annotations } of results) {
      denials.push(...annotationErrors.map(message => ({ ...names, message, reason: 'Invalid' })))
      for (const [key, value] of Object.entries(annotations)) notes.said(`${names.policy}/${key}`, value)
    }
  }
  return denials
}

interface AuditedFailure {
  readonly message: string
  readonly policy: string
  readonly binding: string
  readonly expressionIndex: number
  readonly validationActions: readonly string[]
}

/** What the policies have to say in the audit log. */
class AuditNotes {
  private readonly failures: AuditedFailure[] = []
  private readonly annotations = new Map<string, Set<string>>()

  failed(failure: AuditedFailure): void {
    this.failures.push(failure)
  }

  said(key: string, value: string): void {
    this.annotations.set(key, (this.annotations.get(key) ?? new Set()).add(value))
  }

  write({ annotate }: Caller): void {
    if (annotate === undefined) return
    if (this.failures.length > 0)
      annotate('validation.policy.admission.k8s.io/validation_failure', JSON.stringify(this.failures))
    for (const [key, values] of this.annotations) annotate(key, [...values].join(', '))
  }
}

const codes: Readonly<Record<string, number>> = {
  Unauthorized: 401,
  Forbidden: 403,
  RequestEntityTooLarge: 413,
  Invalid: 422,
}

function refusal({ policy, binding, message, reason }: Denial, { target, object }: AdmissionRequest): ApiError {
  const text = `ValidatingAdmissionPolicy '${policy}'${binding === undefined ? '' : ` with binding '${binding}'`} denied request: ${message}`
  const error = forbidden(target.kind.resource, object?.metadata?.name ?? target.name, text)
  return new ApiError(codes[reason] ?? 422, reason, error.message, {
    ...error.status.details,
    causes: [{ message: text }],
  })
}
