// A JSON Web Token as lines of a backend: signed by one of the keys, not expired, and with the claims that are asked for.
// Pure. Sources: RFC 7519; HAProxy's configuration manual 2.6, `jwt_verify`, which looks at nothing but the signature.
import type { SigningKey, TokenCheck } from '../model/policing.ts'
import { refused, signingKeyFile, welcome } from './credentials.ts'
import { condition, literal, quoted } from './quoted.ts'

/** Of a claim that is a list; it is not looked at further. */
const mostValues = 16

export const tokenLines = (
  { issuer, audiences, keys, claims, consumerClaim, consumers }: TokenCheck,
  directory: string,
  /** In which it is found. */
  place = 'http_auth_bearer',
): readonly string[] => [
  ...['token', 'signed'].map(name => `http-request unset-var(txn.${name})`),
  `http-request set-var(txn.token) ${place} unless { var(txn.consumer) -m found }`,
  'http-request set-var(txn.now) date',
  ...keys.flatMap(key => signatureLines(key, directory)),
  refuse('unless { var(txn.signed) -m found }'),
  // Something that has to be understood, and is not (RFC 7515, 4.1.11).
  refuse(`if { ${header('crit[0]')} -m found }`),
  refuse(`unless { ${claim('exp', 'int')},sub(txn.now) -m int gt 0 }`),
  refuse(`if { ${claim('nbf', 'int')},sub(txn.now) -m int gt 0 }`),
  refuse(`unless ${is(claim('iss'), issuer)}`),
  ...(audiences.length === 0 ? [] : valueLines('aud', audiences)),
  ...claims.flatMap(({ name, values }) => valueLines(name, values)),
  `http-request set-var(txn.who) ${claim(consumerClaim)}`,
  // What can be no value of a header is nobody.
  `http-request set-var-fmt(txn.consumer) ${consumers === undefined ? welcome : refused}%[var(txn.who)] if { var(txn.token) -m found } { var(txn.who) -m reg ^[^[:cntrl:]]{1,256}$ }`,
  ...(consumers ?? []).map(
    name =>
      `http-request set-var-fmt(txn.consumer) ${quoted(literal(`${welcome}${name}`))} if { var(txn.token) -m found } ${is('var(txn.who)', name)}`,
  ),
]

const is = (sample: string, value: string): string => condition(sample, 'exact', value)

const refuse = (condition: string): string => `http-request unset-var(txn.token) ${condition}`

const claim = (path: string, ...type: readonly string[]): string =>
  quoted(`var(txn.token),jwt_payload_query("$.${path}"${type.map(each => `,"${each}"`).join('')})`)

const header = (name: string): string => quoted(`var(txn.token),jwt_header_query("$.${name}")`)

/** A token that names no key may be signed by any. */
function signatureLines(key: SigningKey, directory: string): readonly string[] {
  const { id, algorithm } = key
  const verified = `{ ${quoted(`var(txn.token),jwt_verify("${algorithm}","${signingKeyFile(key, directory)}")`)} -m int 1 }`
  const line = (condition: string): string =>
    `http-request set-var(txn.signed) bool(true) if { ${header('alg')} -m str ${algorithm} } ${condition}${verified}`
  if (id === undefined) return [line('')]
  return [line(`${is(header('kid'), id)} `), line(`!{ ${header('kid')} -m found } `)]
}

const listsOfWords = new Set(['scope', 'scp'])

const hasWord = (sample: string, word: string): string =>
  `{ ${sample} -m reg -- ${quoted(`(^| )${word.replaceAll(/[^\w ]/g, String.raw`\$&`)}( |$)`)} }`

/** The claim is one of the values, or a list with one of them in it. */
const valueLines = (name: string, values: readonly string[]): readonly string[] => [
  'http-request unset-var(txn.fits)',
  ...[name, ...Array.from({ length: mostValues }, (_, at) => `${name}[${at}]`)].flatMap(path =>
    values.map(value => `http-request set-var(txn.fits) bool(true) if ${is(claim(path), value)}`),
  ),
  // A text with several of them (RFC 8693, 4.2).
  ...(listsOfWords.has(name)
    ? values.map(value => `http-request set-var(txn.fits) bool(true) if ${hasWord(claim(name), value)}`)
    : []),
  refuse('unless { var(txn.fits) -m found }'),
]
