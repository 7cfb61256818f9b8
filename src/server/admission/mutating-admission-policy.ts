// MutatingAdmissionPolicy: the policies that are bound change writes, in the order of their names and before
// any webhook. Those that allow it are asked again when a later one changed the object.
import { forbidden, type ApiError } from '../../api/api-error.ts'
import type { MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding } from '../../api/generated/models.ts'
import type { KindDefinition } from '../../api/kind.ts'
import type { KubeObject } from '../../api/object.ts'
import { mutatingAdmissionPolicies, mutatingAdmissionPolicyBindings } from '../../api/resources.ts'
import type { AdmissionPlugin, AdmissionRequest, ServerContext } from '../server-context.ts'
import { BoundPolicies, isExempt, type BoundPolicy } from './bound-policies.ts'
import { findParams } from './policy-params.ts'
import { matchedKind } from './resource-rules.ts'

type Bound = BoundPolicy<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding>

interface Invocation {
  readonly policy: MutatingAdmissionPolicy
  readonly binding: MutatingAdmissionPolicyBinding
  readonly kind: KindDefinition
  readonly params: KubeObject | undefined
}

interface Problem {
  readonly text: string
  readonly reason: 'Invalid' | 'Forbidden'
}

const bound = new BoundPolicies(mutatingAdmissionPolicies, mutatingAdmissionPolicyBindings)

export const mutatingAdmissionPolicy: AdmissionPlugin = {
  name: 'MutatingAdmissionPolicy',
  mutate(request, context, { second }) {
    const policies = bound.of(context.storage)
    if (policies.length === 0 || isExempt(request)) return undefined
    return mutate(second ? policies.filter(mayRepeat) : policies, request, context)
  },
}

const mayRepeat = ({ policy }: { readonly policy: MutatingAdmissionPolicy }): boolean =>
  policy.spec.reinvocationPolicy === 'IfNeeded'

async function mutate(policies: readonly Bound[], request: AdmissionRequest, context: ServerContext): Promise<void> {
  const problems: Problem[] = []
  const invocations = policies.flatMap(one => invocationsOf(one, request, context, problems))
  if (invocations.length > 0) problems.push(...(await invokeAll(invocations, request, context)))
  if (problems.length > 0) throw refusal(problems, request)
}

function invocationsOf(
  { policy, bindings }: Bound,
  request: AdmissionRequest,
  context: ServerContext,
  problems: Problem[],
): Invocation[] {
  const kind = matchedKind(policy.spec.matchConstraints ?? {}, request, context)
  if (kind === undefined) return []
  return bindings.flatMap(binding => {
    if (
      binding.spec.matchResources !== undefined &&
      matchedKind(binding.spec.matchResources, request, context) === undefined
    )
      return []
    const found = findParams(policy.spec.paramKind, binding.spec.paramRef, request.target.namespace, context)
    if ('params' in found) return found.params.map(params => ({ policy, binding, kind, params }))
    if (policy.spec.failurePolicy !== 'Ignore')
      problems.push({
        text: problemText(policy, binding, `failed to configure binding: ${found.problem}`),
        reason: 'Forbidden',
      })
    return []
  })
}

async function invokeAll(
  invocations: readonly Invocation[],
  request: AdmissionRequest,
  context: ServerContext,
): Promise<Problem[]> {
  const { applyMutatingPolicy } = await import('./mutating-policy-evaluation.ts')
  const problems: Problem[] = []
  const invoke = ({ policy, binding, kind, params }: Invocation): boolean => {
    const { changed, errors } = applyMutatingPolicy(policy, { request, kind, context, params })
    if (policy.spec.failurePolicy !== 'Ignore')
      problems.push(
        ...errors.map((error): Problem => ({ text: problemText(policy, binding, error), reason: 'Invalid' })),
      )
    return changed
  }
  const changes = invocations.map(invoke)
  const lastChange = changes.lastIndexOf(true)
  const again = invocations.filter((invocation, index) => index < lastChange && mayRepeat(invocation))
  if (problems.length === 0) for (const invocation of again) invoke(invocation)
  return problems
}

const problemText = (
  { metadata: policy }: MutatingAdmissionPolicy,
  { metadata: binding }: MutatingAdmissionPolicyBinding,
  error: string,
): string => `policy '${policy.name}' with binding '${binding.name}' denied request: ${error}`

function refusal(problems: readonly Problem[], { target, object }: AdmissionRequest): ApiError {
  const [first] = problems
  const error = forbidden(target.kind.resource, object?.metadata?.name ?? target.name, first!.text)
  Object.assign(error.status, {
    message: first!.text,
    reason: first!.reason,
    details: { ...error.status.details, causes: problems.map(({ text }) => ({ message: text })) },
  })
  error.message = first!.text
  return error
}
