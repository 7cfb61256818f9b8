// What an authority says against something, and that it could not be asked. Source: RFC 8555, 6.7; RFC 7807.

export interface Problem {
  /** `urn:ietf:params:acme:error:rateLimited` */
  readonly type?: string
  readonly detail?: string
  readonly subproblems?: readonly (Problem & { readonly identifier?: { readonly value: string } })[]
}

export class AcmeProblem extends Error {
  readonly status: number
  /** `rateLimited` */
  readonly kind: string
  /** That it asks to be left alone for. */
  readonly retryAfterMs: number | undefined

  constructor(status: number, problem: Problem, retryAfterMs?: number) {
    super(problemText(problem, status))
    this.name = 'AcmeProblem'
    this.status = status
    this.kind = kindOf(problem)
    this.retryAfterMs = retryAfterMs
  }
}

export class AuthorityAway extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'AuthorityAway'
  }
}

const kindOf = ({ type = '' }: Problem): string => type.replace(/^urn:ietf:params:acme:error:/, '')

const longestText = 1_000

/** In one line of a bearable length. */
export function problemText(problem: Problem, status?: number): string {
  const { detail, subproblems = [] } = problem
  const first = [kindOf(problem), detail].filter(Boolean).join(': ')
  const more = subproblems.map(each => [each.identifier?.value, each.detail].filter(Boolean).join(': '))
  const text = [first || `an answer with status ${status ?? 'unknown'}`, ...more].join('; ')
  return text.replaceAll(/\s+/g, ' ').slice(0, longestText)
}
