// The policies that are bound anywhere, with their bindings. The index is made anew when one of them changed;
// while there is no policy, a write costs a look at the size of a cache.
import type { KubeObject } from '../../api/object.ts'
import type { Resource } from '../../api/resource.ts'
import type { MatchResources, ParamKind, ParamRef } from '../../api/generated/models.ts'
import type { AdmissionRequest } from '../server-context.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'

export interface Policy extends KubeObject {
  readonly spec: {
    readonly matchConstraints?: MatchResources
    readonly paramKind?: ParamKind
    readonly failurePolicy?: string
  }
}

export interface PolicyBinding extends KubeObject {
  readonly spec: {
    readonly policyName?: string
    readonly matchResources?: MatchResources
    readonly paramRef?: ParamRef
  }
}

export interface BoundPolicy<P extends Policy, B extends PolicyBinding> {
  readonly policy: P
  readonly bindings: readonly B[]
}

export class BoundPolicies<P extends Policy, B extends PolicyBinding> {
  private readonly policies: Resource<P>
  private readonly bindings: Resource<B>
  private readonly known = new WeakMap<ObjectStorage, { index: readonly BoundPolicy<P, B>[] | undefined }>()

  constructor(policies: Resource<P>, bindings: Resource<B>) {
    this.policies = policies
    this.bindings = bindings
  }

  /** In the order of their names. */
  of(storage: ObjectStorage): readonly BoundPolicy<P, B>[] {
    if (storage.cache(this.policies).size === 0) return []
    const entry = this.known.get(storage) ?? this.follow(storage)
    return (entry.index ??= this.collect(storage))
  }

  private follow(storage: ObjectStorage): { index: readonly BoundPolicy<P, B>[] | undefined } {
    const entry: { index: readonly BoundPolicy<P, B>[] | undefined } = { index: undefined }
    const forget = (): void => {
      entry.index = undefined
    }
    for (const resource of [this.policies, this.bindings]) storage.cache(resource).subscribe(forget)
    this.known.set(storage, entry)
    return entry
  }

  private collect(storage: ObjectStorage): readonly BoundPolicy<P, B>[] {
    const bindings = Map.groupBy(
      storage
        .cache(this.bindings)
        .list()
        .map(({ object }) => object as unknown as B),
      ({ spec }) => spec.policyName ?? '',
    )
    return storage
      .cache(this.policies)
      .list()
      .flatMap(({ object }) => {
        const bound = bindings.get(object.metadata.name)
        return bound === undefined ? [] : [{ policy: object as unknown as P, bindings: bound }]
      })
  }
}

const ownKinds = new Set([
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
])
const reviews = new Set(['authentication.k8s.io', 'authorization.k8s.io'])

/** Policies are not asked about policies, so that a mistake in one can be corrected; nor about reviews. */
export function isExempt({ target }: AdmissionRequest): boolean {
  const { group, plural } = target.kind.resource
  return reviews.has(group) || (group === 'admissionregistration.k8s.io' && ownKinds.has(plural))
}
