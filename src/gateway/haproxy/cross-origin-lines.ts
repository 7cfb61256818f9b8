// Where browsers may ask from, as lines of a backend: preflights are answered here, and what a service says about it is
// replaced. Pure. Sources: Gateway API, HTTPCORSFilter; WHATWG, Fetch, "CORS protocol".
import type { CrossOrigin } from '../model/model.ts'
import { literal, quoted } from './quoted.ts'

export function crossOriginLines(cors: CrossOrigin | undefined): readonly string[] {
  if (cors === undefined) return []
  const { origins, credentials, methods, headers, exposed, maxAgeSeconds } = cors
  const isAnybody = origins.includes('*') && !credentials
  return [
    ...(isAnybody
      ? ['http-request set-var(txn.origin) str(*)']
      : [
          ...origins.map(origin => `acl from-allowed-origin ${originCondition(origin)}`),
          ...(origins.length > 0 ? ['http-request set-var(txn.origin) req.hdr(origin) if from-allowed-origin'] : []),
        ]),
    'acl is-preflight req.hdr(access-control-request-method) -m found',
    'http-request set-var(txn.preflight) bool(true) if METH_OPTIONS { req.hdr(origin) -m found } is-preflight',
    ...askedLines('methods', 'access-control-request-method', methods, credentials),
    ...askedLines('headers', 'access-control-request-headers', headers, credentials),
    'http-request return status 200 if { var(txn.preflight) -m found }',
    'http-response del-header access-control- -m beg',
    // Who may read an answer depends on who asked for it.
    ...(isAnybody ? [] : ['http-after-response add-header Vary Origin']),
    told('allow-origin', '%[var(txn.origin)]'),
    ...(credentials ? [told('allow-credentials', 'true')] : []),
    ...exposedLines(exposed, credentials),
    ...allowedLines('methods', methods, credentials),
    ...allowedLines('headers', headers, credentials),
    told('max-age', String(maxAgeSeconds), '{ var(txn.preflight) -m found }'),
  ]
}

/** To those that are allowed to ask. @param format of the value */
const told = (name: string, format: string, ...conditions: readonly string[]): string =>
  [`http-after-response set-header Access-Control-${sentence(name)} ${quoted(format)} if { var(txn.origin) -m found }`]
    .concat(conditions)
    .join(' ')

const sentence = (name: string): string => name.replaceAll(/\b[a-z]/g, letter => letter.toUpperCase())

/** With credentials a star is a name like any other for browsers, so that what was asked for is allowed by its name. */
const isAsAsked = (allowed: readonly string[], credentials: boolean): boolean => allowed.includes('*') && credentials

const askedLines = (what: string, header: string, allowed: readonly string[], credentials: boolean): string[] =>
  isAsAsked(allowed, credentials)
    ? [`http-request set-var(txn.asked_${what}) req.fhdr(${header}) if { var(txn.preflight) -m found }`]
    : []

function allowedLines(what: 'methods' | 'headers', allowed: readonly string[], credentials: boolean): string[] {
  if (allowed.length === 0) return []
  return isAsAsked(allowed, credentials)
    ? [told(`allow-${what}`, `%[var(txn.asked_${what})]`, `{ var(txn.asked_${what}) -m found }`)]
    : [told(`allow-${what}`, listFormat(allowed), '{ var(txn.preflight) -m found }')]
}

const exposedLines = (exposed: readonly string[], credentials: boolean): string[] =>
  exposed.length === 0
    ? []
    : [told('expose-headers', isAsAsked(exposed, credentials) ? '%[res.hdr_names]' : listFormat(exposed))]

const listFormat = (names: readonly string[]): string => literal(names.join(', '))

/** Browsers do not tell the usual port of a scheme. */
function originCondition(origin: string): string {
  const plain = origin.replace(/^(http:.*):80$|^(https:.*):443$/i, '$1$2')
  if (!plain.includes('*')) return `req.hdr(origin) -m str -i -- ${quoted(plain)}`
  if (plain === '*') return 'req.hdr(origin) -m found'
  const pattern = plain.split('*').map(escaped).join('[^/:]+')
  return `req.hdr(origin) -m reg -i -- ${quoted(`^${pattern}$`)}`
}

const escaped = (text: string): string => text.replaceAll(/[$()*+./?[\\\]^{|}-]/g, String.raw`\$&`)
