// The checks that are no tests of their own: each passes or fails as a whole.

export interface Check {
  readonly name: string
  /** An npm script of package.json. */
  readonly script: string
}

export const checks: readonly Check[] = [
  { name: 'format', script: 'format:check' },
  { name: 'types', script: 'types' },
  { name: 'purity', script: 'purity' },
  { name: 'layers', script: 'layers' },
  { name: 'lint', script: 'lint' },
  { name: 'dead code', script: 'knip' },
]
