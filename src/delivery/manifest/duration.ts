// Durations as ISO 8601 writes them, as far as their length is certain: weeks, days, hours, minutes and seconds.

const parts = /^P(?=[\dT])(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,8})S)?)?$/
export const durationPattern = parts

/** @param text that `durationPattern` takes */
export function durationSeconds(text: string): number {
  const [weeks, days, hours, minutes, seconds] = (parts.exec(text) ?? []).slice(1).map(part => Number(part ?? 0))
  return ((((weeks ?? 0) * 7 + (days ?? 0)) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)
}

/** The duration that somebody means who writes `10m`, `30 seconds` or `1h30m`. */
export function meantDuration(text: string): string | undefined {
  const found =
    /^(?:(\d+) ?d(?:ays?)?)? ?(?:(\d+) ?h(?:ours?)?)? ?(?:(\d+) ?m(?:in(?:utes?)?)?)? ?(?:(\d+) ?s?(?:ec(?:onds?)?)?)?$/i
  const [, days, hours, minutes, seconds] = found.exec(text.trim()) ?? []
  const time = [hours && `${hours}H`, minutes && `${minutes}M`, seconds && `${seconds}S`].filter(Boolean).join('')
  const meant = `P${days === undefined ? '' : `${days}D`}${time === '' ? '' : `T${time}`}`
  return parts.test(meant) ? meant : undefined
}
