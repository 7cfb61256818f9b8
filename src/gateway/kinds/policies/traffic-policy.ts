// TrafficPolicy: how much may be asked, and what else is done with requests.
import { duration } from '../names-and-references.ts'
import { described, integer, list, object, oneOf, rule, ruled, text, withDefault } from '../schema.ts'
import { policyColumns, policyDefinition, policyStatus, targetRefs } from './definition.ts'
import { headerName } from './header-name.ts'

const rateLimit = ruled(
  object(
    {
      requests: integer(1, 1_000_000),
      per: described('A second to a day.', duration),
      by: described(
        'Whose requests are counted together.',
        withDefault(oneOf('Address', 'Consumer', 'Header', 'Everybody'), 'Address'),
      ),
      header: headerName,
    },
    ['requests', 'per'],
  ),
  rule('expected header with by: Header, and with nothing else', "has(self.header) == (self.by == 'Header')"),
  rule('expected per from 1s to 24h', "duration(self.per) >= duration('1s') && duration(self.per) <= duration('24h')"),
)

const size = { ...text(16, 1), pattern: '^[1-9][0-9]*([kMG]|[KMG]i)?$' }

export const trafficPolicy = policyDefinition({
  kind: 'TrafficPolicy',
  plural: 'trafficpolicies',
  columns: policyColumns,
  description: 'Says how much may be asked, and what else is done with requests.',
  spec: object(
    {
      targetRefs,
      rateLimits: described(
        'What goes beyond is answered with 429. Three are the most for a request.',
        list(rateLimit, 3, 1),
      ),
      maxBodySize: described('A greater body is answered with 413: 10Mi.', size),
      maxHeaderSize: described(
        'Greater headers, all together, are answered with 431: 4Ki. More than 14Ki are for nobody.',
        size,
      ),
      maintenance: described(
        'Every request is answered with 503.',
        object({ message: withDefault(text(4096), 'down for maintenance'), retryAfter: duration }),
      ),
      compression: described(
        'Answers are compressed for those that take it.',
        object({
          contentTypes: withDefault(list({ ...text(127, 1), pattern: '^[a-z0-9.+-]+/[a-z0-9.+-]+$' }, 32, 1), [
            'text/html',
            'text/css',
            'text/plain',
            'text/javascript',
            'application/javascript',
            'application/json',
            'image/svg+xml',
          ]),
        }),
      ),
      cache: described(
        'Answers that their service lets be kept are kept, and given to who asks for the same.',
        object({
          maxAge: described('For which, at most.', withDefault(duration, '60s')),
          maxObjectSize: described('Greater answers are not kept.', withDefault(size, '64Ki')),
          size: described('For each service, in memory; 1Mi at least.', withDefault(size, '8Mi')),
        }),
      ),
      accessLog: described(
        'Each request is a line of JSON in the log of requests.',
        object({
          headers: described('That are logged, too.', list({ ...text(64, 1), pattern: '^[A-Za-z0-9-]+$' }, 16)),
        }),
      ),
      requestId: described(
        'Each request has an id in this header, for the service and in the answer.',
        object({ header: withDefault(headerName, 'X-Request-Id') }),
      ),
    },
    ['targetRefs'],
  ),
  status: policyStatus,
})
