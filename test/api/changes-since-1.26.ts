// What Kubernetes 1.36 answers differently from the recorded 1.26, wherever it occurs: differences that
// one of these patterns matches do not count. What concerns one exchange alone is in known-differences.ts.

export const changesSince126: readonly { readonly pattern: RegExp; readonly reason: string }[] = [
  { pattern: /^\S*\.metadata\.generation: unexpected 1$/, reason: 'pods have a generation since 1.33' },
  {
    pattern: /creationTimestamp: missing, expected (null|\{\})$/,
    reason: 'an unset creationTimestamp is left out since 1.34',
  },
  { pattern: /podReplacementPolicy: unexpected /, reason: 'podReplacementPolicy of jobs, since 1.28' },
  {
    pattern: /\.annotations: missing, expected \{"batch\.kubernetes\.io\/job-tracking":""\}$/,
    reason: 'the annotation job-tracking is gone since 1.27',
  },
  {
    pattern: /labels\.batch\.kubernetes\.io\/(controller-uid|job-name): unexpected /,
    reason: 'prefixed labels of jobs, since 1.27',
  },
  {
    pattern: /matchLabels\.(batch\.kubernetes\.io\/controller-uid: unexpected |controller-uid: missing)/,
    reason: 'jobs select by the prefixed label since 1.27',
  },
  { pattern: /generation: unexpected \d+$/, reason: 'pods have a generation since 1.33' },
  {
    pattern: /persistentVolumeClaimRetentionPolicy: unexpected /,
    reason: 'retention policies of claims are on since 1.27',
  },
  { pattern: /^\.status: missing, expected \{\}$/, reason: 'network policies have no status since 1.28' },
  {
    pattern: /^(\.metadata)?\.name: expected "g-[a-z0-9]{5}", found "g-[a-z0-9]{5}"$/,
    reason: 'generated names are random',
  },
]

/** The same sentence in today's words; objects are printed as JSON since 1.34, as Go values before. */
export function inTodaysWords(text: string): string {
  return text
    .replaceAll(/must be no more than (\d+) characters/g, 'must be no more than $1 bytes')
    .replaceAll(/(must be less than or equal to \w+ limit)(?: of [\w.]+)?/g, '$1')
    .replaceAll(
      /supported values: ("[^"]*"(?:, "[^"]*")*)/g,
      (_, list: string) => `supported values: ${list.split(', ').sort().join(', ')}`,
    )
    .replaceAll(
      /(Invalid|Unsupported) value: (?:null|[[{\d]|\[\]byte|[\w[\]][\w.[\]]*[({]|"bm90).*?: (?=[^"{}[\]]+$|supported)/g,
      '$1 value: {}: ',
    )
}
