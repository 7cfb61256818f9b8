// What a policy asks for in words, one for each thing, in the order in which a request meets them. Pure.
import type {
  AccessPolicy,
  Authentication,
  BalancingPolicy,
  TokenRules,
  TrafficPolicy,
  WrittenRateLimit,
} from '../api/gateway-api/policies.ts'
import { balancingWords } from './balancing-words.ts'
import { durationMs } from './model/durations.ts'

export function policyWords(policy: AccessPolicy | TrafficPolicy | BalancingPolicy): readonly string[] {
  if (policy.kind === 'AccessPolicy') return accessWords(policy.spec as AccessPolicy['spec'])
  if (policy.kind === 'BalancingPolicy') return balancingWords(policy.spec as BalancingPolicy['spec'])
  return trafficWords(policy.spec as TrafficPolicy['spec'])
}

function accessWords({ addresses, authentication, consumers, groups }: AccessPolicy['spec']): readonly string[] {
  const { allow, deny = [] } = addresses ?? {}
  return [
    ...(allow === undefined ? [] : [`from ${allow.join(', ')}`]),
    ...(deny.length === 0 ? [] : [`not from ${deny.join(', ')}`]),
    ...(authentication === undefined ? [] : [`${waysIn(authentication).join(' or ')}${whom(consumers, groups)}`]),
  ]
}

function waysIn({ keys, basic, jwt, oidc }: Authentication): readonly string[] {
  const places = [keys?.header, keys?.queryParameter && `the query parameter ${keys.queryParameter}`].filter(Boolean)
  return [
    ...(keys === undefined ? [] : [`key in ${places.join(' or ')}`]),
    ...(basic === undefined ? [] : [`name and password (realm "${basic.realm}")`]),
    ...(jwt === undefined
      ? []
      : [
          [
            `token from ${jwt.issuer}`,
            ...((jwt.audiences ?? []).length === 0 ? [] : [`for ${jwt.audiences!.join(' or ')}`]),
            ...claimWords(jwt.claims),
          ].join(' '),
        ]),
    ...(oidc === undefined ? [] : [[`login at ${oidc.issuer}`, ...claimWords(oidc.claims)].join(' ')]),
  ]
}

const claimWords = (claims: TokenRules['claims'] = {}): readonly string[] =>
  Object.entries(claims).map(([name, values]) => `with ${name} ${values.join(' or ')}`)

function whom(consumers: readonly string[] | undefined, groups: readonly string[] | undefined): string {
  if (consumers === undefined && groups === undefined) return ''
  const named = [
    ...(consumers ?? []),
    ...((groups ?? []).length === 0 ? [] : [`${groups!.length === 1 ? 'group' : 'groups'} ${groups!.join(', ')}`]),
  ]
  return named.length === 0 ? ', which lets nobody in' : `, of ${named.join(' and ')}`
}

const trafficWords = ({
  rateLimits = [],
  maxBodySize,
  maxHeaderSize,
  cache,
  accessLog,
  maintenance,
  compression,
  requestId,
}: TrafficPolicy['spec']): readonly string[] => [
  ...(maintenance === undefined ? [] : [`every request gets 503 "${maintenance.message}"`]),
  ...rateLimits.map(limitWords),
  ...(maxBodySize === undefined ? [] : [`a body of at most ${maxBodySize}`]),
  ...(maxHeaderSize === undefined ? [] : [`headers of at most ${maxHeaderSize}`]),
  ...(cache === undefined ? [] : [`answers are kept for up to ${durationMs(cache.maxAge) / 1000} s`]),
  ...(accessLog === undefined ? [] : ['each request is logged']),
  ...(requestId === undefined ? [] : [`an id in ${requestId.header}`]),
  ...(compression === undefined ? [] : [`answers are compressed (${compression.contentTypes.join(', ')})`]),
]

function limitWords({ requests, per, by, header }: WrittenRateLimit): string {
  const counted = { Address: ' by address', Consumer: ' by consumer', Header: ` by ${header}`, Everybody: ' in all' }
  return `at most ${requests} ${requests === 1 ? 'request' : 'requests'} in ${durationMs(per) / 1000} s${counted[by]}`
}
