// Counts of requests that a process takes over from the one whose place it takes: HAProxy begins with none, and a limit over
// hours would be met once for each load. A count that was taken over before says nothing of when its requests were: it
// fades as if they had been at that time. Pure. Source: HAProxy's management guide 2.6, `show table` and `set table`.

/** By key: how many requests in the last period. */
export type Counts = ReadonlyMap<string, number>

/** By key: what was taken over last, and when. */
export type Carried = ReadonlyMap<string, { readonly count: number; readonly atMs: number }>

/** @param text what `show table` says, with the rate of `gpc0` last in each line */
export const countsIn = (text: string): Counts =>
  new Map(
    text.split('\n').flatMap(line => {
      const [, key, count] = /^0x[\da-f]+: key=(\S+) use=.* gpc0_rate\(\d+\)=(\d+)$/.exec(line) ?? []
      return key === undefined || count === '0' ? [] : [[key, Number(count)] as const]
    }),
  )

/** @returns what the new process is to count, and what is to be remembered of it */
export function carriedOver(
  counts: Counts,
  before: Carried,
  { nowMs, periodMs }: { readonly nowMs: number; readonly periodMs: number },
): { readonly counts: Counts; readonly carried: Carried } {
  const next = new Map<string, number>()
  const carried = new Map<string, { readonly count: number; readonly atMs: number }>()
  for (const [key, count] of counts) {
    const known = before.get(key)
    // Nobody has asked since.
    const isOld = known !== undefined && count <= known.count
    const since = isOld ? known : { count, atMs: nowMs }
    const left = Math.floor(since.count * (1 - (nowMs - since.atMs) / periodMs))
    if (left <= 0) continue
    next.set(key, left)
    carried.set(key, since)
  }
  return { counts: next, carried }
}
