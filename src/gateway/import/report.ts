// What became of each thing that an import read, for people. Values of secrets never get in here: what is told of a field
// is its place and its name. Pure.

/** `passed over`: it is not a gateway's, such as ids of a database, or how much memory an application has. */
export type Outcome = 'kept' | 'changed' | 'left out' | 'passed over'

export interface ReportLine {
  /** Where it stands in what was read: `services orders / routes list / strip_path`. */
  readonly at: string
  readonly outcome: Outcome
  readonly text: string
}

export interface Report {
  readonly kept: (at: string, text: string) => undefined
  /** It works, and not quite as before. */
  readonly changed: (at: string, text: string) => undefined
  /** Why, and what to do. */
  readonly leftOut: (at: string, text: string) => undefined
  /** Told once for all fields of the name. */
  readonly passedOver: (field: string, why: string) => void
  readonly lines: () => readonly ReportLine[]
}

export function newReport(): Report {
  const told = new Map<string, ReportLine>()
  const counts = new Map<string, { count: number; why: string }>()
  const tell =
    (outcome: Outcome) =>
    (at: string, text: string): undefined => {
      told.set(`${at}\n${outcome}\n${text}`, { at, outcome, text })
    }
  return {
    kept: tell('kept'),
    changed: tell('changed'),
    leftOut: tell('left out'),
    passedOver: (field, why) => void counts.set(field, { count: (counts.get(field)?.count ?? 0) + 1, why }),
    lines: () => [
      ...told.values(),
      ...[...counts].map(([field, { count, why }]): ReportLine => ({
        at: count === 1 ? field : `${field} (${count} times)`,
        outcome: 'passed over',
        text: why,
      })),
    ],
  }
}

export const reportText = (lines: readonly ReportLine[]): string =>
  lines.map(({ at, outcome, text }) => `${outcome.padEnd(11)}  ${at}: ${text}`).join('\n')
