// CustomResourceDefinition: a kind that a user adds. What the kinds it adds are like: ../custom-resources.
import type { CustomResourceDefinition, CustomResourceDefinitionSpec as Spec } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { customResourceDefinitions } from '../resources.ts'
import { columns } from './cells.ts'
import { keepStatus, statusOnly } from './strategy.ts'

export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io'

/** Its checks need the library for patterns, which takes long to load. */
let checks: typeof import('../custom-resources/definition-check.ts') | undefined

export const customResourceDefinitionKind = defineKind({
  resource: customResourceDefinitions,
  model: 'V1CustomResourceDefinition',
  singular: 'customresourcedefinition',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  generation: true,
  anyFinalizer: true,
  load: async () => {
    checks ??= await import('../custom-resources/definition-check.ts')
    // The kinds it adds are wanted next.
    await import('../custom-resources/kinds-of-definition.ts')
  },
  defaults(draft) {
    defaultSpec(draft.spec)
    draft.status ??= {}
  },
  prepareForCreate(draft) {
    draft.status = {
      conditions: null as unknown as [],
      acceptedNames: { plural: '', kind: '' },
      storedVersions: draft.spec.versions.filter(version => version.storage).map(version => version.name),
    }
  },
  prepareForUpdate(draft, old) {
    keepStatus(draft, old)
    noteStorageVersion(draft)
  },
  prepareForDelete(draft, timestamp) {
    draft.metadata.finalizers = [...new Set([...(draft.metadata.finalizers ?? []), cleanupFinalizer])]
    const condition = {
      type: 'Terminating',
      status: 'True',
      reason: 'InstanceDeletionPending',
      message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
      lastTransitionTime: timestamp,
    }
    draft.status = {
      ...draft.status,
      conditions: [...(draft.status.conditions ?? []).filter(({ type }) => type !== 'Terminating'), condition],
    }
  },
  subresources: statusOnly<CustomResourceDefinition>(definition => checks!.validateDefinitionStatus(definition)),
  validate: definition => checks!.validateDefinition(definition),
  validateCreate: definition => checks!.validateNewDefinition(definition),
  validateUpdate: (definition, old) => checks!.validateDefinitionUpdate(definition, old),
  columns: columns('Name', 'Created At:date'),
  row: definition => [definition.metadata.name, definition.metadata.creationTimestamp],
})

function defaultSpec(spec: Spec): void {
  spec.versions ??= []
  spec.scope ??= ''
  const { names } = spec
  if (names.kind) {
    names.singular ||= names.kind.toLowerCase()
    names.listKind ||= `${names.kind}List`
  }
  spec.conversion ??= { strategy: 'None' }
  if (spec.conversion.webhook?.clientConfig?.service !== undefined)
    spec.conversion.webhook.clientConfig.service.port ??= 443
}

/** Objects may be stored in every version that ever was the storage version. */
function noteStorageVersion(draft: CustomResourceDefinition): void {
  const stored = draft.status.storedVersions ?? []
  const current = draft.spec.versions.find(version => version.storage)?.name
  if (current !== undefined && !stored.includes(current))
    draft.status = { ...draft.status, storedVersions: [...stored, current] }
}
