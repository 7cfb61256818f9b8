// What the filters of a route's rule do with requests and answers. Pure. Source: Gateway API, HTTPRouteFilter.
import type {
  Cors,
  HTTPRouteFilter,
  HeaderModifier,
  PathModifier,
  RequestMirror,
  RequestRedirect,
} from '../../api/gateway-api/types.ts'
import type { WantedBackend } from './backends.ts'
import { fails, type Finding } from './findings.ts'
import type { CrossOrigin, Handling, HeaderChanges, Mirror, PathChange, Redirect, Rewrite } from './model.ts'
import type { Observed } from './observed.ts'
import type { PolicyPlace } from './policies/policy-place.ts'
import { backendOf, type ReferringRoute } from './route-backends.ts'

/** Where the requests of a rule come in. */
export interface RulePlace {
  /** What its policies are for. */
  readonly policed: readonly PolicyPlace[]
  readonly scheme: 'http' | 'https'
  readonly port: number
  /** That plain requests come to at the same address, and those with TLS. */
  readonly portOf: (scheme: 'http' | 'https') => number
  /** Id of the one that services are shown. */
  readonly clientCertificate?: string
}

export interface Filtered {
  readonly handling: Handling
  /** That requests are mirrored to. */
  readonly backends: readonly WantedBackend[]
  /** Those of the type `Accepted` keep the rule from being served. */
  readonly findings: readonly Finding[]
}

/** @param prefix that is known to be at the beginning of each path */
export function filtered(
  filters: readonly HTTPRouteFilter[],
  prefix: string | undefined,
  place: RulePlace,
  route: ReferringRoute,
  observed: Observed,
): Filtered {
  const findings: Finding[] = []
  const backends: WantedBackend[] = []
  const requestHeaders: HeaderChanges[] = []
  const responseHeaders: HeaderChanges[] = []
  const mirrors: Mirror[] = []
  let redirect: Redirect | undefined
  let rewrite: Rewrite | undefined
  let cors: CrossOrigin | undefined
  for (const filter of filters)
    switch (filter.type) {
      case 'RequestHeaderModifier':
        requestHeaders.push(headerChanges(filter.requestHeaderModifier))
        break
      case 'ResponseHeaderModifier':
        responseHeaders.push(headerChanges(filter.responseHeaderModifier))
        break
      case 'RequestMirror': {
        const { backend, finding } = backendOf(filter.requestMirror.backendRef, route, {}, observed)
        if (finding !== undefined) findings.push(finding)
        if (backend === undefined) break
        backends.push(backend)
        mirrors.push({ backend: backend.id, share: shareOf(filter.requestMirror) })
        break
      }
      case 'RequestRedirect':
        redirect = redirectOf(filter.requestRedirect, prefix, place)
        break
      case 'URLRewrite': {
        const { hostname, path } = filter.urlRewrite
        rewrite = {
          ...(hostname !== undefined && { host: hostname }),
          ...(path !== undefined && { path: pathChange(path, prefix) }),
        }
        break
      }
      case 'CORS':
        cors = crossOrigin(filter.cors)
        break
      case 'ExtensionRef':
        findings.push(
          fails(
            'Accepted',
            'UnsupportedValue',
            `there is no filter of the kind ${filter.extensionRef.kind} of ${filter.extensionRef.group}`,
          ),
        )
    }
  if (redirect !== undefined && rewrite !== undefined)
    findings.push(fails('Accepted', 'IncompatibleFilters', 'expected RequestRedirect or URLRewrite, found both'))
  return {
    handling: {
      ...(cors !== undefined && { cors }),
      ...(redirect !== undefined && { redirect }),
      ...(rewrite !== undefined && { rewrite }),
      ...(requestHeaders.length > 0 && { requestHeaders }),
      ...(responseHeaders.length > 0 && { responseHeaders }),
      ...(mirrors.length > 0 && { mirrors }),
    },
    backends,
    findings,
  }
}

/** What is done for all requests of a rule, and for those to one of its services. */
export const handledBoth = (all: Handling, one: Handling): Handling => ({
  ...all,
  ...one,
  ...joined('policies', all, one),
  ...joined('requestHeaders', all, one),
  ...joined('responseHeaders', all, one),
  ...joined('mirrors', all, one),
})

const joined = <Field extends 'policies' | 'requestHeaders' | 'responseHeaders' | 'mirrors'>(
  field: Field,
  all: Handling,
  one: Handling,
): object => {
  const values = [...(all[field] ?? []), ...(one[field] ?? [])]
  return values.length > 0 ? { [field]: values } : {}
}

const headerChanges = ({ set = [], add = [], remove = [] }: HeaderModifier): HeaderChanges => ({
  set: set.map(({ name, value }) => ({ name, value })),
  add: add.map(({ name, value }) => ({ name, value })),
  remove,
})

const shareOf = ({ percent, fraction }: RequestMirror): number =>
  fraction !== undefined ? fraction.numerator / fraction.denominator : (percent ?? 100) / 100

function redirectOf(
  { scheme, hostname, path, port, statusCode }: RequestRedirect,
  prefix: string | undefined,
  place: RulePlace,
): Redirect {
  return {
    status: statusCode,
    scheme: scheme ?? place.scheme,
    ...(hostname !== undefined && { host: hostname }),
    port: port ?? (scheme === undefined ? place.port : place.portOf(scheme)),
    ...(path !== undefined && { path: pathChange(path, prefix) }),
  }
}

const pathChange = (path: PathModifier, prefix = '/'): PathChange =>
  path.type === 'ReplaceFullPath'
    ? { kind: 'whole', value: path.replaceFullPath }
    : { kind: 'prefix', prefix, value: path.replacePrefixMatch }

const crossOrigin = ({
  allowOrigins = [],
  allowCredentials = false,
  allowMethods = [],
  allowHeaders = [],
  exposeHeaders = [],
  maxAge,
}: Cors): CrossOrigin => ({
  origins: allowOrigins,
  credentials: allowCredentials,
  methods: allowMethods,
  headers: allowHeaders,
  exposed: exposeHeaders,
  maxAgeSeconds: maxAge,
})
