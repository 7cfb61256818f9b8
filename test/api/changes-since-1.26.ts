// What Kubernetes 1.36 answers differently from the recorded 1.26, wherever it occurs: differences that
// one of these patterns matches do not count. What concerns one exchange alone is in known-differences.ts.

export const changesSince126: readonly { readonly pattern: RegExp; readonly reason: string }[] = [
  { pattern: /^\S*\.metadata\.generation: unexpected 1$/, reason: 'pods have a generation since 1.33' },
  { pattern: /creationTimestamp: missing, expected (null|\{\})$/, reason: 'an unset creationTimestamp is left out since 1.34' },
  { pattern: /podReplacementPolicy: unexpected /, reason: 'podReplacementPolicy of jobs, since 1.28' },
  { pattern: /\.annotations: missing, expected \{"batch\.kubernetes\.io\/job-tracking":""\}$/, reason: 'the annotation job-tracking is gone since 1.27' },
  { pattern: /labels\.batch\.kubernetes\.io\/(controller-uid|job-name): unexpected /, reason: 'prefixed labels of jobs, since 1.27' },
  { pattern: /matchLabels\.(batch\.kubernetes\.io\/controller-uid: unexpected |controller-uid: missing)/, reason: 'jobs select by the prefixed label since 1.27' },
]
