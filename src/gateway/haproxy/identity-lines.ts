// Who asks, as lines of a backend: by a key, by a name and a password, or by a token. Keys and passwords are looked up by
// their digests, so that no file has more. Pure. Source: RFC 7617.
import { consumerHeader } from './lines.ts'
import type { Identity, LoginCheck } from '../model/policing.ts'
import { credentialsFile, refused } from './credentials.ts'
import { literal, quoted, quotedSample } from './quoted.ts'
import { tokenLines } from './token-lines.ts'

const isKnown = '{ var(txn.consumer) -m found }'

export function identityLines(identity: Identity | undefined, directory: string): readonly string[] {
  if (identity === undefined) return []
  const { keys, basic, token, login } = identity
  const file = (credentials: string): string => credentialsFile(credentials, directory)
  return [
    'http-request unset-var(txn.consumer)',
    ...(keys?.header === undefined ? [] : [lookUp('req.fhdr', keys.header, [], file(keys.credentials))]),
    ...(keys?.queryParameter === undefined
      ? []
      : [lookUp('url_param', keys.queryParameter, ['url_dec'], file(keys.credentials))]),
    ...(basic === undefined
      ? []
      : [
          `${lookUp('req.fhdr', 'authorization', ['word(2," ")'], file(basic.credentials))} { req.fhdr(authorization) -m beg -i 'basic ' }`,
        ]),
    ...(token === undefined ? [] : tokenLines(token, directory)),
    ...(login === undefined ? [] : loginLines(login, directory)),
    `http-request return status 401 content-type text/plain${challenges(identity)} string ${quoted('say who asks')} unless ${isKnown}`,
    `http-request return status 403 content-type text/plain string ${quoted('not for you')} if { var(txn.consumer) -m beg ${refused} }`,
    `http-request set-header ${consumerHeader} %[var(txn.consumer),bytes(1)]`,
  ]
}

/** A session is nothing for services: who has it is taken for its owner. */
export const ownCookieLines: readonly string[] = [
  `http-request set-header Cookie ${quoted('%[req.fhdr(cookie),regsub("sampan-(session|login)-[^=;]*=[^;]*(; *|$)","",g)]')} if { req.fhdr(cookie) -m sub sampan- }`,
  'http-request del-header Cookie if { req.fhdr(cookie) -m len 0 }',
]

/** Whoever reads pages is sent to log in; programs are told that they have to. */
const loginLines = ({ session, cookie, start }: LoginCheck, directory: string): readonly string[] => [
  ...tokenLines(session, directory, `req.cook(${cookie})`),
  `http-request return status 302 hdr Location ${quoted(`${literal(start)}%[pathq,url_enc]`)} hdr Cache-Control no-store content-type text/plain string ${quoted('log in')} if METH_GET { req.hdr(accept) -m sub text/html } !${isKnown}`,
]

/** The first way that leads to somebody counts. */
const lookUp = (fetch: string, name: string, converters: readonly string[], file: string): string =>
  `http-request set-var(txn.consumer) ${quotedSample(fetch, name, ...converters, 'sha2(256)', 'hex', `map_str(${file})`)} if !${isKnown}`

const challenges = ({ keys, basic, token, login }: Identity): string =>
  [
    ...(basic === undefined
      ? []
      : [`Basic realm="${basic.realm.replaceAll(/["\\]/g, String.raw`\$&`)}", charset="UTF-8"`]),
    ...(token === undefined ? [] : ['Bearer']),
    ...(keys === undefined ? [] : ['Key']),
    ...(login === undefined ? [] : ['Session']),
  ]
    .map(challenge => ` hdr WWW-Authenticate ${quoted(literal(challenge))}`)
    .join('')
