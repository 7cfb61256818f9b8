// Label and field selectors as query parameters say them, with the meaning and the messages of Kubernetes
// (apimachinery pkg/labels, pkg/fields).
import { badRequest, type ApiError } from './api-error.ts'
import { holds, isInteger, type LabelRequirement, type Labels } from './label-selector.ts'
import { labelKeyProblem, labelValueProblem } from './label-syntax.ts'

export interface LabelMatcher {
  matches(labels: Labels | undefined): boolean
}

const noLabels: Labels = {}

interface Token {
  readonly kind: 'word' | 'symbol' | 'end'
  readonly text: string
}

const symbols = ['==', '!=', '(', ')', ',', '!', '=', '<', '>']

function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < text.length;) {
    if (/\s/.test(text[at]!)) {
      at++
      continue
    }
    const symbol = symbols.find(candidate => text.startsWith(candidate, at))
    const word = symbol ?? /^[^\s=!(),<>]+/.exec(text.slice(at))![0]
    tokens.push({ kind: symbol === undefined ? 'word' : 'symbol', text: word })
    at += word.length
  }
  tokens.push({ kind: 'end', text: '' })
  return tokens
}

const unparsable = (problem: string): ApiError => badRequest(`unable to parse requirement: ${problem}`)

class Parser {
  private at = 0
  private readonly tokens: readonly Token[]

  constructor(text: string) {
    this.tokens = tokensOf(text)
  }

  private peek(): Token {
    return this.tokens[this.at]!
  }

  private next(): Token {
    return this.tokens[this.at < this.tokens.length - 1 ? this.at++ : this.at]!
  }

  requirements(): LabelRequirement[] {
    const requirements: LabelRequirement[] = []
    if (this.peek().kind === 'end') return requirements
    for (;;) {
      const first = this.peek()
      if (first.kind !== 'word' && first.text !== '!') {
        throw badRequest(
          `unable to parse requirement: found '${first.text}', expected: !, identifier, or 'end of string'`,
        )
      }
      requirements.push(this.requirement())
      const after = this.next()
      if (after.kind === 'end') return requirements
      if (after.text !== ',') throw badRequest(`found '${after.text}', expected: ',' or 'end of string'`)
      const following = this.peek()
      if (following.kind !== 'word' && following.text !== '!')
        throw badRequest(`found '${following.text}', expected: identifier after ','`)
    }
  }

  private requirement(): LabelRequirement {
    const absent = this.peek().text === '!'
    if (absent) this.next()
    const key = this.next()
    if (key.kind !== 'word') throw unparsable(`found '${key.text}', expected: identifier`)
    const problem = labelKeyProblem(key.text)
    if (problem !== undefined) throw unparsable(`key: Invalid value: ${JSON.stringify(key.text)}: ${problem}`)
    const following = this.peek()
    if (absent || following.kind === 'end' || following.text === ',')
      return { key: key.text, operator: absent ? 'DoesNotExist' : 'Exists', values: [] }
    return this.comparison(key.text)
  }

  private comparison(key: string): LabelRequirement {
    const operator = this.next().text
    switch (operator) {
      case 'in':
      case 'notin':
        return checked({ key, operator: operator === 'in' ? 'In' : 'NotIn', values: this.list() })
      case '=':
      case '==':
      case '!=':
      case '>':
      case '<':
        return checked({ key, operator, values: [this.exactValue()] })
      default:
        throw unparsable(`found '${operator}', expected: in, notin, =, ==, !=, gt, lt`)
    }
  }

  private exactValue(): string {
    const token = this.peek()
    if (token.kind === 'end' || token.text === ',') return ''
    this.next()
    if (token.kind !== 'word') throw unparsable(`found '${token.text}', expected: identifier`)
    return token.text
  }

  private list(): string[] {
    const open = this.next()
    if (open.text !== '(') throw unparsable(`found '${open.text}', expected: '('`)
    const values = new Set<string>()
    for (let expectValue = true; ;) {
      const token = this.next()
      if (token.text === ')') {
        if (expectValue) values.add('')
        return [...values].sort()
      }
      if (token.text === ',') {
        if (expectValue) values.add('')
        expectValue = true
      } else if (token.kind === 'word' && expectValue) {
        values.add(token.text)
        expectValue = false
      } else {
        throw unparsable(
          expectValue
            ? `found '${token.text}', expected: ',', ')' or identifier`
            : `found '${token.text}', expected: ',' or ')'`,
        )
      }
    }
  }
}

function checked(requirement: LabelRequirement): LabelRequirement {
  const { key, operator, values } = requirement
  if ((operator === '>' || operator === '<') && !isInteger(values[0]!)) {
    throw unparsable(
      `values[0][${key}]: Invalid value: ${JSON.stringify(values[0])}: for 'Gt', 'Lt' operators, the value must be an integer`,
    )
  }
  for (const [index, value] of values.entries()) {
    const problem = labelValueProblem(value)
    if (problem !== undefined)
      throw unparsable(`values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: ${problem}`)
  }
  return requirement
}

/** `app=web,tier in (a,b),!legacy`; throws a bad request in Kubernetes' words. */
export function parseLabelSelector(text: string): LabelMatcher {
  const requirements = new Parser(text).requirements()
  return {
    matches(labels = noLabels) {
      for (const requirement of requirements) if (!holds(requirement, labels)) return false
      return true
    },
  }
}

export interface FieldRequirement {
  readonly field: string
  readonly operator: '=' | '!='
  readonly value: string
}

/** `metadata.name=a,status.phase!=Failed`; `\`, `,` and `=` in values are escaped with a backslash. */
export function parseFieldSelector(text: string): FieldRequirement[] {
  const requirements: FieldRequirement[] = []
  for (const term of splitTerms(text)) {
    if (term === '') continue
    const match = /^((?:[^\\=!]|\\.|!(?!=))*)(!=|==|=)(.*)$/s.exec(term)
    if (match === null) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`)
    requirements.push({ field: match[1]!, operator: match[2] === '!=' ? '!=' : '=', value: unescapeValue(match[3]!) })
  }
  return requirements
}

function splitTerms(text: string): string[] {
  const terms: string[] = []
  let start = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === ',') {
      terms.push(text.slice(start, at))
      start = at + 1
    }
  }
  terms.push(text.slice(start))
  return terms
}

function unescapeValue(value: string): string {
  let unescaped = ''
  for (let at = 0; at < value.length; at++) {
    const character = value[at]!
    if (character === '\\') {
      const escaped = value[++at]
      if (escaped === undefined || !'\\,='.includes(escaped))
        throw badRequest(`invalid field selector: invalid escape sequence: \\${escaped ?? ''}`)
      unescaped += escaped
    } else if (character === ',' || character === '=') {
      throw badRequest(`invalid field selector: unescaped character in value: ${character}`)
    } else {
      unescaped += character
    }
  }
  return unescaped
}
