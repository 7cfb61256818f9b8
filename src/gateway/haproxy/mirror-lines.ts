// Copies of requests: which ones a backend makes, as a line of it, and the entrance of HAProxy's own to which they come. Pure.
import type { Backend, Mirror } from '../model/model.ts'
import { leadLines } from './lead-lines.ts'
import { quoted } from './quoted.ts'

/** Its frontend. */
export const mirrorEntrance = 'mirrors'
/** In which a copy says to which backend it goes. */
export const mirrorHeader = 'x-sampan-mirror'

export interface MirrorPlaces {
  /** Of the entrance. */
  readonly mirrorSocket: string
}

export const mirrorLines = (mirrors: readonly Mirror[] = [], { mirrorSocket }: MirrorPlaces): readonly string[] =>
  mirrors.length === 0
    ? []
    : [
        `filter lua.mirror ${quoted(`unix@${mirrorSocket}`)} ${mirrors
          .map(({ backend, share }) => `${quoted(backend)} ${Math.round(share * 1_000_000)}`)
          .join(' ')}`,
      ]

/** Ids of all backends that get copies. */
export const mirroredTo = (backends: ReadonlyMap<string, Backend>): ReadonlySet<string> =>
  new Set([...backends.values()].flatMap(({ handling }) => handling.mirrors ?? []).map(({ backend }) => backend))

/** @param map from ids of backends to what they are called */
export const mirrorEntranceLines = (
  { mirrorSocket }: MirrorPlaces,
  map: string,
  hasDoubles: boolean,
): readonly string[] => [
  `frontend ${mirrorEntrance}`,
  `bind ${quoted(`unix@${mirrorSocket}`)} mode 600`,
  `http-request set-var(txn.do) req.hdr(${mirrorHeader}),map_str(${map})`,
  `http-request del-header ${mirrorHeader}`,
  ...leadLines('txn.do', hasDoubles),
]
