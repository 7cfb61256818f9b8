// Spans of time as people type them: `45s`, `10m`, `2h30m`, `1d`.
const unitSeconds = { d: 86_400, h: 3_600, m: 60, s: 1 } as const

/** undefined: it is none. */
export function secondsOfSpan(text: string): number | undefined {
  if (!/^(?=\d)(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?$/.test(text)) return undefined
  const parts = [...text.matchAll(/(\d+)([dhms])/g)]
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * unitSeconds[unit as 'd'], 0)
}
