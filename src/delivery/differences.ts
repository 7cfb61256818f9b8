// What a deployment would change, part by part, and what somebody changed since the release that runs.
import { isDeepStrictEqual } from 'node:util'
import type { Difference, Engine } from './engine/engine.ts'
import { samePart, type Part, type PartName, type Place } from './engine/parts.ts'
import type { PlannedRelease, Release } from './release.ts'

export interface PartDifference {
  readonly part: PartName
  /** `new`: would be made; `changed`: would change; `gone`: would be removed; `same`: only drifted. */
  readonly change: 'new' | 'changed' | 'gone' | 'same'
  readonly fields: readonly Difference[]
  /** Changed in the cluster since the release; `wanted` is what the release says. */
  readonly drift: readonly Difference[]
  /** Somebody deleted it since the release. */
  readonly missing: boolean
}

/** Parts without a difference are left out. */
export async function differencesOf(
  engine: Engine,
  place: Place,
  planned: PlannedRelease,
  present: Release | undefined,
): Promise<readonly PartDifference[]> {
  const before = present?.parts ?? []
  const wanted = await Promise.all(planned.parts.map(part => partDifference(engine, place, part, before)))
  const rest = before.filter(part => !planned.parts.some(other => samePart(other, part))).map(gone)
  return [...wanted, ...rest].filter(({ change, drift, missing }) => change !== 'same' || drift.length > 0 || missing)
}

const nameOf = ({ kind, name }: Part): PartName => ({ kind, name })

const gone = (part: Part): PartDifference => ({
  part: nameOf(part),
  change: 'gone',
  fields: [],
  drift: [],
  missing: false,
})

/** The recorded one has been JSON. */
const isSame = (wanted: Part, recorded: Part): boolean =>
  isDeepStrictEqual(JSON.parse(JSON.stringify(wanted)), recorded)

async function partDifference(
  engine: Engine,
  place: Place,
  wanted: Part,
  before: readonly Part[],
): Promise<PartDifference> {
  const recorded = before.find(part => samePart(part, wanted))
  const asked = engine.compare(place, wanted)
  const since =
    recorded === undefined ? Promise.resolve([]) : isSame(wanted, recorded) ? asked : engine.compare(place, recorded)
  const [fields, drift] = await Promise.all([asked, since])
  return {
    part: nameOf(wanted),
    change: fields === undefined ? 'new' : fields.length > 0 ? 'changed' : 'same',
    fields: fields ?? [],
    drift: drift ?? [],
    missing: recorded !== undefined && drift === undefined,
  }
}
