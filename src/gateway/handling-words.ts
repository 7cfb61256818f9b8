// What is done with the requests of a rule, beyond leading them somewhere, in words; and where one that is redirected goes.
// Pure.
import { prefixOf } from './model/match-order.ts'
import type { CrossOrigin, Handling, HeaderChanges, Mirror, PathChange, Redirect, Rewrite } from './model/model.ts'

/** In the order in which it is done. @param nameOf a backend by its id */
export function handlingWords(handling: Handling, nameOf: (backend: string) => string): readonly string[] {
  const { cors, requestHeaders = [], responseHeaders = [], rewrite, mirrors = [], timeoutMs, retry } = handling
  return [
    ...(cors === undefined ? [] : [crossOriginWords(cors)]),
    ...requestHeaders.flatMap(changes => headerWords('request', changes)),
    ...responseHeaders.flatMap(changes => headerWords('response', changes)),
    ...(rewrite === undefined ? [] : rewriteWords(rewrite)),
    ...mirrors.map(mirror => mirrorWords(mirror, nameOf)),
    ...(timeoutMs === undefined ? [] : [`without an answer within ${timeoutMs / 1000} s it is 504`]),
    ...(retry === undefined ? [] : [`up to ${retry.attempts} more attempts after ${retry.codes.join(', ')}`]),
  ]
}

function crossOriginWords({ origins, methods, credentials }: CrossOrigin): string {
  const asked = methods.length === 0 ? '' : ` with ${methods.join(', ')}`
  return `browsers may ask from ${origins.join(', ') || 'nowhere'}${asked}${credentials ? ', with credentials' : ''} (CORS)`
}

const headerWords = (of: 'request' | 'response', { set, add, remove }: HeaderChanges): readonly string[] => [
  ...set.map(({ name, value }) => `${of} header ${name} is set to "${value}"`),
  ...add.map(({ name, value }) => `${of} header ${name} gets "${value}" added`),
  ...remove.map(name => `${of} header ${name} is removed`),
]

const rewriteWords = ({ host, path }: Rewrite): readonly string[] => [
  ...(host === undefined ? [] : [`the host becomes ${host}`]),
  ...(path === undefined
    ? []
    : [
        path.kind === 'whole'
          ? `the path becomes ${path.value}`
          : `the beginning ${path.prefix} of the path becomes ${path.value}`,
      ]),
]

const mirrorWords = ({ backend, share }: Mirror, nameOf: (backend: string) => string): string =>
  `${share === 1 ? 'a copy' : `a copy of ${Number((100 * share).toFixed(2))} %`} goes to ${nameOf(backend)}`

/** @param request what is asked for; its path may be unknown @returns `https://shop.localhost:8443/orders` */
export function redirectAddress(
  { scheme, host, port, path }: Redirect,
  request: { readonly host: string; readonly path?: string; readonly search?: string },
): string {
  const usual = scheme === 'http' ? 80 : 443
  const authority = `${host ?? request.host}${port === usual ? '' : `:${port}`}`
  return `${scheme}://${authority}${path === undefined ? (request.path ?? '') : changedPath(path, request.path)}${request.search ?? ''}`
}

/** @param path undefined: the rest of it is left open */
export function changedPath(change: PathChange, path: string | undefined): string {
  if (change.kind === 'whole') return change.value
  const start = prefixOf(change.value)
  if (path === undefined) return start === '' ? '/' : start
  const rest = path.slice(prefixOf(change.prefix).length)
  return start === '' && !rest.startsWith('/') ? `/${rest}` : `${start}${rest}`
}
