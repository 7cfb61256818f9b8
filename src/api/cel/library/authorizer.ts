// Questions about what the caller may do: `authorizer.group('apps').resource('deployments').check('create')`.
import { checkLabel, checkSubdomain } from '../../validation/formats.ts'
import { EvaluationError } from '../cel-error.ts'
import { fixed, overload, type Overload } from '../functions.ts'
import { OpaqueValue, sizeOf, type Value } from '../values.ts'

export interface AuthorizationQuestion {
  readonly verb: string
  /** Of a path that is no resource; then nothing else is set. */
  readonly path?: string | undefined
  readonly group?: string | undefined
  readonly resource?: string | undefined
  readonly subresource?: string | undefined
  readonly namespace?: string | undefined
  readonly name?: string | undefined
  /** As text; what is none narrows nothing down. */
  readonly fieldSelector?: string | undefined
}

export interface AuthorizationAnswer {
  readonly allowed: boolean
  readonly reason: string
}

/** Answers for one user. */
export type AuthorizeUser = (question: AuthorizationQuestion) => AuthorizationAnswer

abstract class Unequal extends OpaqueValue {
  equals(other: OpaqueValue): boolean {
    return other === this
  }
}

export class AuthorizerValue extends Unequal {
  readonly type = 'kubernetes.authorization.Authorizer'
  readonly ask: AuthorizeUser
  readonly forServiceAccount: (namespace: string, name: string) => AuthorizeUser

  constructor(ask: AuthorizeUser, forServiceAccount: (namespace: string, name: string) => AuthorizeUser) {
    super()
    this.ask = ask
    this.forServiceAccount = forServiceAccount
  }
}

/** A question that is being put together. */
class CheckValue extends Unequal {
  readonly type: string
  readonly ask: AuthorizeUser
  readonly question: Omit<AuthorizationQuestion, 'verb'>

  constructor(
    type: 'PathCheck' | 'GroupCheck' | 'ResourceCheck',
    ask: AuthorizeUser,
    question: Omit<AuthorizationQuestion, 'verb'>,
  ) {
    super()
    this.type = `kubernetes.authorization.${type}`
    this.ask = ask
    this.question = question
  }

  with(part: Partial<AuthorizationQuestion>): CheckValue {
    return new CheckValue('ResourceCheck', this.ask, { ...this.question, ...part })
  }
}

class DecisionValue extends Unequal {
  readonly type = 'kubernetes.authorization.Decision'
  readonly answer: AuthorizationAnswer

  constructor(answer: AuthorizationAnswer) {
    super()
    this.answer = answer
  }
}

/** The value of the variable for the resource that a request is about. */
export const resourceCheck = (
  authorizer: AuthorizerValue,
  question: Omit<AuthorizationQuestion, 'verb'>,
): OpaqueValue => new CheckValue('ResourceCheck', authorizer.ask, question)

function nonEmpty(text: string, what: string): string {
  if (text.trim() === '') throw new EvaluationError(`${what} must not be empty`)
  return text
}

function serviceAccount(authorizer: AuthorizerValue, namespace: string, name: string): AuthorizerValue {
  if (checkSubdomain(name).length > 0) throw new EvaluationError('Invalid service account name')
  if (checkLabel(namespace).length > 0) throw new EvaluationError('Invalid service account namespace')
  return new AuthorizerValue(authorizer.forServiceAccount(namespace, name), authorizer.forServiceAccount)
}

/** An empty text takes back what was said before. */
const orUnset = (text: string): string | undefined => (text === '' ? undefined : text)
const check = ({ ask, question }: CheckValue, verb: string): DecisionValue =>
  new DecisionValue(ask({ ...question, verb }))
const one = fixed(1)
/** Two checks fit into an expression. */
const costOfCheck = fixed(350_000)
/** A list of requirements, of which there may be one for every two characters, and the reading. */
const costOfSelector = ([, text]: readonly Value[]): number =>
  10 + Math.ceil(sizeOf(text!) * 0.1) + Math.ceil(sizeOf(text!) * 0.5) * 50
const [authorizer, path, group, resource, decision] = [
  'Authorizer',
  'PathCheck',
  'GroupCheck',
  'ResourceCheck',
  'Decision',
].map(name => `kubernetes.authorization.${name}`)

export const authorizerFunctions: readonly Overload[] = [
  overload(
    `${authorizer}::path(string): ${path}`,
    ({ ask }: AuthorizerValue, text: string) => new CheckValue('PathCheck', ask, { path: nonEmpty(text, 'path') }),
    one,
  ),
  overload(
    `${authorizer}::group(string): ${group}`,
    ({ ask }: AuthorizerValue, name: string) => new CheckValue('GroupCheck', ask, { group: name }),
    one,
  ),
  overload(`${authorizer}::serviceAccount(string, string): ${authorizer}`, serviceAccount, one),
  overload(
    `${group}::resource(string): ${resource}`,
    (value: CheckValue, name: string) => value.with({ resource: nonEmpty(name, 'resource') }),
    one,
  ),
  overload(
    `${resource}::subresource(string): ${resource}`,
    (value: CheckValue, name: string) => value.with({ subresource: orUnset(name) }),
    one,
  ),
  overload(
    `${resource}::namespace(string): ${resource}`,
    (value: CheckValue, name: string) => value.with({ namespace: orUnset(name) }),
    one,
  ),
  overload(
    `${resource}::name(string): ${resource}`,
    (value: CheckValue, name: string) => value.with({ name: orUnset(name) }),
    one,
  ),
  overload(
    `${resource}::fieldSelector(string): ${resource}`,
    (value: CheckValue, text: string) => value.with({ fieldSelector: orUnset(text) }),
    costOfSelector,
  ),
  // No authorizer here looks at labels.
  overload(`${resource}::labelSelector(string): ${resource}`, (value: CheckValue) => value, costOfSelector),
  overload(`${path}::check(string): ${decision}`, check, costOfCheck),
  overload(`${resource}::check(string): ${decision}`, check, costOfCheck),
  overload(`${decision}::allowed(): bool`, ({ answer }: DecisionValue) => answer.allowed, one),
  overload(`${decision}::reason(): string`, ({ answer }: DecisionValue) => answer.reason, one),
  overload(`${decision}::errored(): bool`, () => false, one),
  overload(`${decision}::error(): string`, () => '', one),
]
