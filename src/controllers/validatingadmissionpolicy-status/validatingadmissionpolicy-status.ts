// Checks the expressions of each ValidatingAdmissionPolicy against the kinds it names, and writes what it finds
// into the status: `typeChecking`, for the generation in `observedGeneration`.
import type { KindDefinition } from '../../api/kind.ts'
import { validatingAdmissionPolicies } from '../../api/resources.ts'
import { defineController, type ControllerDefinition } from '../../control/controller.ts'

export const validatingAdmissionPolicyStatusController = (kinds: readonly KindDefinition[]): ControllerDefinition => defineController({
  name: 'validatingadmissionpolicy-status',
  primary: validatingAdmissionPolicies,
  reconciler: ({ client }) => async name => {
    const policy = client.informer(validatingAdmissionPolicies).get({ name })
    const generation = policy?.metadata.generation
    if (policy === undefined || generation === undefined || generation <= (policy.status?.observedGeneration ?? 0)) return 'done'
    // Loaded with the first policy: most clusters have none.
    const { typeCheckPolicy } = await import('../../api/cel/type-checking.ts')
    const expressionWarnings = typeCheckPolicy(policy, kinds)
    const status = { ...structuredClone(policy.status), observedGeneration: generation, typeChecking: expressionWarnings.length === 0 ? {} : { expressionWarnings } }
    await client.update(validatingAdmissionPolicies, { ...structuredClone(policy), status }, { subresource: 'status' })
    return 'done'
  },
})
