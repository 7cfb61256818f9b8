// The history of a DaemonSet or StatefulSet: one ControllerRevision for each template it had, from which
// `kubectl rollout undo` brings an older one back.
import { isAlreadyExists } from '../api/api-error.ts'
import type { ControllerRevision, LabelSelector, Pod, PodTemplateSpec } from '../api/generated/models.ts'
import { matchesSelector } from '../api/label-selector.ts'
import type { KubeObject } from '../api/object.ts'
import type { Resource } from '../api/resource.ts'
import { controllerRevisions } from '../api/resources.ts'
import { sameJson } from '../api/validation/scalars.ts'
import type { Client } from '../client/client.ts'
import { compareInt64, exactInteger, type Int64 } from '../lib/int64.ts'
import { sortedKeys } from '../lib/sorted-keys.ts'
import { stableHash } from '../lib/stable-hash.ts'
import { byController, claim, controllerReference, unlessGone } from './ownership.ts'

/** On every pod: which revision it was made from. */
export const revisionLabel = 'controller-revision-hash'

/** An object with such a history. */
export interface RevisedOwner extends KubeObject {
  readonly spec: {
    readonly selector: LabelSelector
    readonly template: PodTemplateSpec
    readonly revisionHistoryLimit?: number
  }
  readonly status: { readonly collisionCount?: number }
}

export interface RevisionRules<T extends RevisedOwner> {
  readonly owner: Resource<T>
  /** The label of a revision that holds its hash. */
  readonly hashLabel: string
}

export interface RevisionHistory {
  /** Of the template as it is now. */
  readonly current: ControllerRevision
  /** All, oldest first. */
  readonly all: readonly ControllerRevision[]
}

const byAge = (revisions: readonly ControllerRevision[]): ControllerRevision[] =>
  revisions.toSorted(
    (left, right) => compareInt64(left.revision, right.revision) || (left.metadata.name < right.metadata.name ? -1 : 1),
  )

/**
 * What a revision keeps: a strategic merge patch that sets the whole template. Its keys are in order, as in the
 * patch that kubectl makes of the object and compares byte by byte to see that there is nothing to roll back.
 */
const dataOf = (template: PodTemplateSpec): unknown =>
  sortedKeys({ spec: { template: { ...template, $patch: 'replace' } } })

export const templateOf = ({ data }: ControllerRevision): PodTemplateSpec => {
  const { $patch: _directive, ...template } = (data as { spec: { template: PodTemplateSpec & { $patch?: string } } })
    .spec.template
  return template
}

/** Looks after the revisions of owners of one kind. */
export function revisionKeeper<T extends RevisedOwner>(
  client: Client,
  { owner: resource, hashLabel }: RevisionRules<T>,
) {
  const owned = byController(client.informer(controllerRevisions))

  /** The history with the current template in it, made or made the newest where needed. */
  async function follow(owner: T): Promise<RevisionHistory> {
    const mine = byAge(
      await claim({
        client,
        owner,
        ownerResource: resource,
        resource: controllerRevisions,
        matches: revision => matchesSelector(owner.spec.selector, revision.metadata.labels),
        owned: owned.of(owner),
        orphans: owned.orphans(owner.metadata.namespace ?? ''),
      }),
    )
    const next = exactInteger(BigInt(mine.at(-1)?.revision ?? 0) + 1n)
    const equal = mine.findLast(revision => sameJson(templateOf(revision), owner.spec.template))
    if (equal === undefined) {
      const made = await create(owner, next)
      return { current: made, all: [...mine, made] }
    }
    if (equal === mine.at(-1)) return { current: equal, all: mine }
    // A rollback: the old revision becomes the newest.
    const renewed = await client.update(controllerRevisions, { ...equal, revision: next })
    return { current: renewed, all: byAge([...mine.filter(revision => revision !== equal), renewed]) }
  }

  async function create(owner: T, revision: Int64): Promise<ControllerRevision> {
    for (let collisions = owner.status.collisionCount ?? 0; ; collisions++) {
      const hash = stableHash(owner.spec.template, collisions === 0 ? '' : `#${collisions}`)
      const labels = { ...owner.spec.template.metadata?.labels, [hashLabel]: hash }
      const name = `${owner.metadata.name}-${hash}`
      try {
        return await client.create(controllerRevisions, {
          metadata: {
            namespace: owner.metadata.namespace,
            name,
            labels,
            annotations: { ...owner.metadata.annotations },
            ownerReferences: [controllerReference(owner, resource)],
          },
          data: dataOf(owner.spec.template),
          revision,
        })
      } catch (error) {
        if (!isAlreadyExists(error)) throw error
        const taken = await client.get(controllerRevisions, { namespace: owner.metadata.namespace, name })
        if (
          sameJson(templateOf(taken), owner.spec.template) &&
          taken.metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid) === true
        )
          return taken
      }
    }
  }

  /** Deletes the oldest revisions beyond the limit that no pod is made from. @param kept names in use */
  async function prune(owner: T, { all }: RevisionHistory, kept: ReadonlySet<string>): Promise<void> {
    const unused = all.filter(revision => !kept.has(revision.metadata.name))
    const surplus = unused.slice(0, Math.max(0, unused.length - (owner.spec.revisionHistoryLimit ?? 10)))
    await Promise.all(surplus.map(revision => unlessGone(client.delete(controllerRevisions, revision.metadata))))
  }

  return { follow, prune }
}

export const hashOf = (pod: Pod): string | undefined => pod.metadata.labels?.[revisionLabel]
