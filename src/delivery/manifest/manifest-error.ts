// All mistakes of a file at once, each with its line and field.

export interface Finding {
  readonly line: number
  /** As `ports.http.nodePort`; empty: the file. */
  readonly field: string
  readonly message: string
}

export const findingText = ({ line, field, message }: Finding): string =>
  field === '' ? `${line}: ${message}` : `${line}: ${field}: ${message}`

export class ManifestError extends Error {
  readonly file: string
  readonly findings: readonly Finding[]

  constructor(file: string, findings: readonly Finding[]) {
    const lines = findings.map(finding => `${file}:${findingText(finding)}`)
    super(
      lines.length === 1
        ? lines[0]
        : `${file} has ${lines.length} mistakes:\n${lines.map(line => `  ${line}`).join('\n')}`,
    )
    this.name = 'ManifestError'
    this.file = file
    this.findings = findings
  }
}

/** In the order of their lines, none twice. */
export function ordered(findings: readonly Finding[]): Finding[] {
  const known = new Map(findings.map(finding => [findingText(finding), finding]))
  return [...known.values()].sort((left, right) => left.line - right.line)
}

/** It has no mistakes, and does not know the environment that is asked for. */
export class UnknownEnvironment extends ManifestError {}
