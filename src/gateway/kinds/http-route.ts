// HTTPRoute: which requests go to which backends, and what is done to them on the way.
import type { JSONSchemaProps as Schema, ValidationRule } from '../../api/generated/models.ts'
import { ageColumn, column, gatewayDefinition } from './definition.ts'
import { backendReference, duration, port, preciseHostname, sectionName } from './names-and-references.ts'
import { commonFilters, filterList, headerName, valueMatch } from './route-filters.ts'
import { hostnames, limitOfMatches, routeSpec, routeStatus } from './routes.ts'
import { described, integer, list, listByKey, object, oneOf, rule, ruled, set, text, withDefault } from './schema.ts'

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']

const isPlainPath = "(self.type in ['Exact','PathPrefix'])"
const ofPlainPaths = "when type one of ['Exact', 'PathPrefix']"
const pathCharacters = "^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$"
const pathMatch = ruled(
  object({
    type: withDefault(oneOf('Exact', 'PathPrefix', 'RegularExpression'), 'PathPrefix'),
    value: withDefault(text(1024), '/'),
  }),
  rule(
    `value must be an absolute path and start with '/' ${ofPlainPaths}`,
    `${isPlainPath} ? self.value.startsWith('/') : true`,
  ),
  ...['//', '/./', '/../', '%2f', '%2F', '#'].map(part =>
    rule(`must not contain '${part}' ${ofPlainPaths}`, `${isPlainPath} ? !self.value.contains('${part}') : true`),
  ),
  ...['/..', '/.'].map(end =>
    rule(`must not end with '${end}' ${ofPlainPaths}`, `${isPlainPath} ? !self.value.endsWith('${end}') : true`),
  ),
  rule(
    "type must be one of ['Exact', 'PathPrefix', 'RegularExpression']",
    "self.type in ['Exact','PathPrefix'] || self.type == 'RegularExpression'",
  ),
  rule(
    `must only contain valid characters (matching ${pathCharacters}) for types ['Exact', 'PathPrefix']`,
    `${isPlainPath} ? self.value.matches(r"""${pathCharacters}""") : true`,
  ),
)

const everyPath = { type: 'PathPrefix', value: '/' }
const match = object({
  path: withDefault(pathMatch, everyPath),
  headers: listByKey('name', valueMatch(4096), 16),
  queryParams: listByKey('name', valueMatch(1024), 16),
  method: oneOf(...methods),
})

const replacements = { ReplaceFullPath: 'replaceFullPath', ReplacePrefixMatch: 'replacePrefixMatch' }
const pathModifier = ruled(
  object(
    {
      type: oneOf(...Object.keys(replacements)),
      ...Object.fromEntries(Object.values(replacements).map(field => [field, text(1024)])),
    },
    ['type'],
  ),
  ...Object.entries(replacements).flatMap(([type, field]) => [
    rule(
      `${field} must be specified when type is set to '${type}'`,
      `self.type == '${type}' ? has(self.${field}) : true`,
    ),
    rule(`type must be '${type}' when ${field} is set`, `has(self.${field}) ? self.type == '${type}' : true`),
  ]),
)

const origin: Schema = {
  ...text(253, 1),
  pattern: String.raw`(^\*$)|(^(http(s)?):\/\/(((\*\.)?([a-zA-Z0-9\-]+\.)*[a-zA-Z0-9-]+|\*)(:([0-9]{1,5}))?)$)`,
}
const starStandsAlone = (field: string, others: string): ValidationRule =>
  rule(`${field} cannot contain '*' alongside other ${others}`, "!('*' in self && self.size() > 1)")
const cors = object({
  allowOrigins: ruled(set(origin, 64), starStandsAlone('AllowOrigins', 'origins')),
  allowCredentials: { type: 'boolean' },
  allowMethods: ruled(set(oneOf(...methods, '*'), 9), starStandsAlone('AllowMethods', 'methods')),
  allowHeaders: ruled(set(headerName, 64), starStandsAlone('AllowHeaders', 'methods')),
  exposeHeaders: set(headerName, 64),
  maxAge: withDefault(integer(1), 5),
})

const { RequestHeaderModifier, ResponseHeaderModifier, RequestMirror, ExtensionRef } = commonFilters as Required<
  typeof commonFilters
>
const redirectStatus: Schema = { type: 'integer', enum: [301, 302, 303, 307, 308], default: 302 }
const filters = filterList(
  {
    CORS: cors,
    RequestHeaderModifier: RequestHeaderModifier!,
    ResponseHeaderModifier: ResponseHeaderModifier!,
    RequestMirror: RequestMirror!,
    RequestRedirect: object({
      scheme: oneOf('http', 'https'),
      hostname: preciseHostname,
      path: pathModifier,
      port,
      statusCode: redirectStatus,
    }),
    URLRewrite: object({ hostname: preciseHostname, path: pathModifier }),
    ExtensionRef: ExtensionRef!,
  },
  ['CORS', 'RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestRedirect', 'URLRewrite'],
  [
    rule(
      'May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but not both',
      "!(self.exists(f, f.type == 'RequestRedirect') && self.exists(f, f.type == 'URLRewrite'))",
    ),
  ],
)

const timeouts = ruled(
  object({ request: duration, backendRequest: duration }),
  rule(
    'backendRequest timeout cannot be longer than request timeout',
    "!(has(self.request) && has(self.backendRequest) && duration(self.request) != duration('0s') && " +
      'duration(self.backendRequest) > duration(self.request))',
  ),
)

const replacesPrefix = (filter: string): string =>
  `exists_one(f, has(f.${filter}) && has(f.${filter}.path) && f.${filter}.path.type == 'ReplacePrefixMatch' && ` +
  `has(f.${filter}.path.replacePrefixMatch))`
const ifSoOnePrefix = (condition: string): string =>
  `(${condition}) ? ((size(self.matches) != 1 || !has(self.matches[0].path) || ` +
  "self.matches[0].path.type != 'PathPrefix') ? false : true) : true"
const onePrefixMatch = (filter: string): string =>
  `using ${filter} filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified`
const withinBackends = (filter: string): string =>
  ifSoOnePrefix(
    `has(self.backendRefs) && self.backendRefs.exists_one(b, (has(b.filters) && b.filters.${replacesPrefix(filter)}) )`,
  )

const routeRule = ruled(
  object({
    name: sectionName,
    matches: described(
      'A request is taken when one of them holds; left out, all are taken.',
      withDefault(list(match, 64), [{ path: everyPath }]),
    ),
    filters: described('What is done to requests and answers on the way.', filters),
    backendRefs: described('The services that take the requests, by weight.', list(backendReference({ filters }), 16)),
    timeouts: described('How long an answer may take, as in 10s or 1m30s; 0s is for ever.', timeouts),
  }),
  rule(
    'RequestRedirect filter must not be used together with backendRefs',
    '(has(self.backendRefs) && size(self.backendRefs) > 0) ? ' +
      '(!has(self.filters) || self.filters.all(f, !has(f.requestRedirect))): true',
  ),
  rule(
    `When ${onePrefixMatch('RequestRedirect')}`,
    ifSoOnePrefix(`has(self.filters) && self.filters.${replacesPrefix('requestRedirect')}`),
  ),
  rule(
    `When ${onePrefixMatch('URLRewrite')}`,
    ifSoOnePrefix(`has(self.filters) && self.filters.${replacesPrefix('urlRewrite')}`),
  ),
  rule(`Within backendRefs, when ${onePrefixMatch('RequestRedirect')}`, withinBackends('requestRedirect')),
  rule(`Within backendRefs, When ${onePrefixMatch('URLRewrite')}`, withinBackends('urlRewrite')),
)

export const httpRoute = gatewayDefinition({
  kind: 'HTTPRoute',
  plural: 'httproutes',
  versions: ['v1', 'v1beta1'],
  columns: [column('Hostnames', '.spec.hostnames'), ageColumn],
  description: 'Sends HTTP requests to services by host, path, headers, parameters and method.',
  spec: routeSpec({
    hostnames,
    rules: described(
      'Which requests go where; the most telling match wins, whatever the order.',
      withDefault(
        ruled(
          list(routeRule, 16, 1),
          limitOfMatches(item => `${item}.matches.size()`),
        ),
        [{ matches: [{ path: everyPath }] }],
      ),
    ),
  }),
  status: routeStatus,
})
