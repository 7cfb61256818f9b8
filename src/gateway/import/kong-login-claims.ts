// What Kong's plugin openid-connect asks for of tokens and of people, as claims of an AccessPolicy. Pure.
// Source: Kong, plugin openid-connect: of several entries one is enough, and of the words of an entry each is needed.
import type { Fields } from './fields.ts'
import type { KongFile } from './kong-file.ts'
import { plainName } from './names.ts'

type Claims = Readonly<Record<string, string[]>>

export interface WantedClaims {
  readonly both: Claims
  /** Audiences and scopes are of tokens. */
  readonly tokensAlone: Claims
  /** Why people are not let in. */
  readonly ofLogins: string | undefined
  /** Why programs are not. */
  readonly ofTokens: string | undefined
  /** Why nobody is. */
  readonly problem: string | undefined
}

interface Asked {
  readonly name: string
  readonly values: readonly string[]
}

const mostValues = 16
const limits: Readonly<Record<string, string>> = {
  max_age: 'how long ago somebody logged in',
  claims_forbidden: 'claims that a token may not have',
}
const tokenLimits: Readonly<Record<string, string>> = {
  introspect_jwt_tokens: 'whether the issuer took it back',
  jwt_session_cookie: 'the session that it is of',
}

export function wantedClaims(config: Fields): WantedClaims {
  const { place, report } = config
  const problems: string[] = []
  const ask = (key: string, claimKey: string, usual: string): Asked | undefined => {
    const path = config.texts(claimKey) ?? [usual]
    const entries = config.texts(key)
    if (entries === undefined && config.has(key)) problems.push(`${key} cannot be read`)
    if (entries === undefined || entries.length === 0) return undefined
    const values = [...new Set(entries)]
    if (path.length !== 1 || !/^[A-Za-z0-9_-]{1,64}$/.test(path[0]!))
      problems.push(`${key} (${claimKey}): a claim within another one is not looked at`)
    else if (values.some(value => /\s/.test(value)) || values.length > mostValues)
      problems.push(`${key}: one of up to ${mostValues} values is asked for, and not several at once`)
    else report.kept(place(key), `claims of an AccessPolicy: ${path[0]}`)
    return { name: path[0] ?? usual, values }
  }
  const audiences = ask('audience_required', 'audience_claim', 'aud')
  const scopes = ask('scopes_required', 'scopes_claim', 'scope')
  const both = [
    ask('groups_required', 'groups_claim', 'groups'),
    ask('roles_required', 'roles_claim', 'roles'),
    ask('domains', 'domains_claim', 'hd'),
  ].flatMap(each => each ?? [])
  const names = [...both, ...[audiences, scopes].flatMap(each => each ?? [])].map(({ name }) => name)
  if (new Set(names).size < names.length) problems.push('one claim is asked for twice, with other values')
  problems.push(...asksFor(config, limits))
  if (config.text('proof_of_possession_dpop') === 'strict' || config.text('proof_of_possession_mtls') === 'strict')
    problems.push('whose a token is (proof_of_possession) is not looked at')
  if (scopes !== undefined)
    report.changed(
      place('scopes_required'),
      `the claim ${scopes.name} has to be a list, or one scope alone: a text with several lets nobody in`,
    )
  const [ofTokens] = asksFor(config, tokenLimits)
  const clients = config.texts('client_id') ?? []
  return {
    both: claimsOf(both),
    tokensAlone: claimsOf([audiences, scopes].flatMap(each => each ?? [])),
    ofLogins:
      scopes !== undefined
        ? 'which scopes somebody has is not looked at; ask for a group or a role'
        : audiences !== undefined && !audiences.values.some(value => clients[0] === value)
          ? 'who logs in is one of the client (aud), and of no other audience'
          : undefined,
    ofTokens,
    problem:
      problems.length === 0
        ? undefined
        : `${problems.join('; ')}: this gateway has no equal, and nobody is let in until you write an AccessPolicy in its place`,
  }
}

const claimsOf = (all: readonly Asked[]): Claims =>
  Object.fromEntries(all.map(({ name, values }) => [name, [...values]]))

/** What is off, or asks for nothing, is none. */
const asksFor = (config: Fields, known: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(known).flatMap(([key, what]) => {
    const value = config.value(key)
    const isOff = value === undefined || value === false || value === 0 || (Array.isArray(value) && value.length === 0)
    return isOff ? [] : [`${what} (${key}) is not looked at`]
  })

/** Of people and tokens, in place of groups of Consumers. */
export function groupsClaimIn(config: Fields): string | undefined {
  const path = config.texts('authenticated_groups_claim')
  if (path === undefined) return undefined
  const [name] = path
  if (path.length === 1 && /^[A-Za-z0-9_-]{1,64}$/.test(name!)) {
    config.report.changed(
      config.place('authenticated_groups_claim'),
      `what acl lets in has to be in the claim ${name}, for people and for tokens`,
    )
    return name
  }
  return config.report.leftOut(
    config.place('authenticated_groups_claim'),
    'a claim within another one is not looked at; acl looks at groups of Consumers',
  )
}

export interface AskedConsumers {
  readonly claim: string
  /** undefined: everybody. */
  readonly names?: readonly string[]
  readonly isNobody: boolean
}

const mostConsumers = 64

/** With a claim, Kong lets in its consumers alone: those whose name it says. */
export function consumersBy(config: Fields, { consumers }: KongFile): AskedConsumers {
  const { report, place } = config
  const path = config.texts('consumer_claim')
  const by = config.texts('consumer_by') ?? ['username', 'custom_id']
  const isOptional = config.flag('consumer_optional') === true
  if (path === undefined) {
    if (config.has('consumer_by')) report.passedOver('consumer_by', 'it says nothing without consumer_claim')
    if (config.has('consumer_optional'))
      report.passedOver('consumer_optional', 'it says nothing without consumer_claim')
    return { claim: 'sub', isNobody: config.has('consumer_claim') }
  }
  const [claim] = path
  if (path.length !== 1 || !/^[A-Za-z0-9_-]{1,64}$/.test(claim!)) {
    report.leftOut(place('consumer_claim'), 'a claim within another one is not looked at; nobody is let in by it')
    return { claim: 'sub', isNobody: !isOptional }
  }
  if (isOptional) {
    report.kept(place('consumer_optional'), `services are told ${claim}, whether there is such a Consumer or not`)
    return { claim: claim!, isNobody: false }
  }
  const usernames = consumers.flatMap(consumer => consumer.text('username') ?? [])
  const names = by.includes('username') ? usernames.filter(name => plainName(name) === name) : []
  for (const name of usernames)
    if (!names.includes(name))
      report.leftOut(
        place('consumer_claim'),
        `${name} is no name of a Consumer, so that nobody is let in as such; let them in by a claim, or leave out consumers`,
      )
  if (by.some(each => each !== 'username'))
    report.changed(place('consumer_by'), `the claim ${claim} has to be the name of a Consumer`)
  if (names.length === 0 || names.length > mostConsumers) {
    report.leftOut(
      place('consumer_claim'),
      `expected 1 to ${mostConsumers} Consumers with such names, found ${names.length}; nobody is let in until there are`,
    )
    return { claim: claim!, isNobody: true }
  }
  report.changed(
    place('consumer_claim'),
    `whom it lets in is told by name (${names.length} Consumers): add those that come later`,
  )
  return { claim: claim!, names, isNobody: false }
}
