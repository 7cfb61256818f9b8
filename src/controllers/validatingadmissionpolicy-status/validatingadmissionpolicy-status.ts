// Checks the expressions of each ValidatingAdmissionPolicy against the kinds it names, and writes what it finds
// into the status: `typeChecking`, for the generation in `observedGeneration`. As in the original, what has been
// checked is looked at again only when its spec changes, not when a custom kind comes or changes.
import type { CustomResourceDefinition } from '../../api/generated/models.ts'
import type { KindDefinition } from '../../api/kind.ts'
import { customResourceDefinitions, validatingAdmissionPolicies } from '../../api/resources.ts'
import { defineController, type ControllerDefinition } from '../../control/controller.ts'

export const validatingAdmissionPolicyStatusController = (kinds: readonly KindDefinition[]): ControllerDefinition =>
  defineController({
    name: 'validatingadmissionpolicy-status',
    primary: validatingAdmissionPolicies,
    reconciler:
      ({ client }) =>
      async name => {
        const policy = client.informer(validatingAdmissionPolicies).get({ name })
        const generation = policy?.metadata.generation
        if (policy === undefined || generation === undefined || generation <= (policy.status?.observedGeneration ?? 0))
          return 'done'
        // Loaded with the first policy: most clusters have none.
        const [{ typeCheckPolicy }, { builtInKind, customKinds }] = await Promise.all([
          import('../../api/cel/type-checking.ts'),
          import('../../api/cel/kind-types.ts'),
        ])
        const definitions = await client.list(customResourceDefinitions, {})
        const expressionWarnings = typeCheckPolicy(policy, [
          ...kinds.map(builtInKind),
          ...definitions.items.filter(isEstablished).flatMap(customKinds),
        ])
        const status = {
          ...structuredClone(policy.status),
          observedGeneration: generation,
          typeChecking: expressionWarnings.length === 0 ? {} : { expressionWarnings },
        }
        await client.update(
          validatingAdmissionPolicies,
          { ...structuredClone(policy), status },
          { subresource: 'status' },
        )
        return 'done'
      },
  })

const isEstablished = ({ status }: CustomResourceDefinition): boolean =>
  status.conditions?.some(({ type, status: state }) => type === 'Established' && state === 'True') === true
