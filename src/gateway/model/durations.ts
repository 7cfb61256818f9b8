// Durations as the Gateway API writes them: `1m30s`, `500ms`. Pure. Source: GEP-2257.

const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }

export const durationMs = (text: string): number =>
  [...text.matchAll(/(\d+)(h|ms|m|s)/g)].reduce((sum, [, count, unit]) => sum + Number(count) * unitMs[unit!]!, 0)
