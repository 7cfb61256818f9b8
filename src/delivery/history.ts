// The releases of a service, as its engine's ledger has them.
import type { Engine } from './engine/engine.ts'
import type { Place } from './engine/parts.ts'
import { outlivesReleases } from './plan/bundles.ts'
import { wasGood, type RecordedRelease, type Release, type ReleaseState } from './release.ts'

const keptReleases = 10

export interface Situation {
  /** Newest first. */
  readonly releases: readonly RecordedRelease[]
  /** The one that runs. */
  readonly present: Release | undefined
  /** Whoever holds the lease knows that nobody is behind it any more. */
  readonly pending: RecordedRelease | undefined
  readonly nextRevision: number
}

export async function situationOf({ ledger }: Engine, place: Place): Promise<Situation> {
  const releases = (await ledger.list(place)) as readonly RecordedRelease[]
  return {
    releases,
    present: releases.find(({ content }) => content.state === 'deployed')?.content,
    pending: releases.find(({ content }) => content.state === 'pending'),
    nextRevision: (releases[0]?.revision ?? 0) + 1,
  }
}

/** The release to go back to when none is named: the newest that was good and is not what is there now. */
export const releaseBefore = ({ releases, present }: Situation): Release | undefined =>
  releases
    .map(({ content }) => content)
    .find(
      candidate =>
        candidate.revision !== present?.revision &&
        // What was brought back after somebody worked on it is what runs.
        (present?.endsDevelopment !== true || candidate.revision !== present.rollbackTo) &&
        !isPassing(candidate) &&
        wasGood(candidate),
    )

/** Whoever works on it may go on; what ended such work is not worked on. */
export const isWorkedOn = (release: Pick<Release, 'development' | 'endsDevelopment'> | undefined): boolean =>
  release?.development === true && release.endsDevelopment !== true

/** Of somebody's work, or of its end: no release that one goes back to. */
const isPassing = ({ development, endsDevelopment }: Release): boolean =>
  development === true || endsDevelopment === true

export async function setState(
  { ledger }: Engine,
  place: Place,
  recorded: RecordedRelease,
  state: ReleaseState,
): Promise<RecordedRelease> {
  const content: Release = { ...recorded.content, state }
  return (await ledger.write(place, { ...recorded, state, content })) as RecordedRelease
}

/** Forgets old releases, and the configuration that none of the kept ones names. What cannot be deleted now goes later. */
export async function forgetOld(engine: Engine, place: Place): Promise<void> {
  const releases = ((await engine.ledger.list(place)) as readonly RecordedRelease[]).map(({ content }) => content)
  const kept = keptOf(releases)
  for (const { revision } of releases.filter(release => !kept.includes(release)))
    await engine.ledger.remove(place, revision)
  const named = new Set(kept.flatMap(({ bundles }) => bundles))
  for (const name of await engine.bundles(place))
    if (!named.has(name) && !outlivesReleases(name)) await engine.dropBundle(place, name)
}

/** However many attempts failed, and however often somebody worked on it, there stays one to go back to, and what runs. */
export function keptOf(releases: readonly Release[]): readonly Release[] {
  const present = releases.find(({ state }) => state === 'deployed')
  // Whose change of the schema is there knows how to undo it.
  const isKept = (release: Release): boolean =>
    release === good ||
    present?.schema?.includes(release.revision) === true ||
    (present?.endsDevelopment === true && release.revision === present.rollbackTo)
  const good = releases.find(release => release.state === 'superseded' && !isPassing(release))
  const others = releases.filter(({ state }) => state !== 'deployed' && state !== 'pending')
  const passing = others.filter(release => release.state === 'superseded' && isPassing(release))
  const lasting = others.filter(release => !passing.includes(release))
  const old = new Set([...passing, ...lasting.slice(keptReleases)].filter(release => !isKept(release)))
  return releases.filter(release => !old.has(release))
}
