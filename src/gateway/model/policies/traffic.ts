// What a traffic policy asks for. Pure.
import type { TrafficPolicy, WrittenRateLimit } from '../../../api/gateway-api/policies.ts'
import { wholeValue } from '../../../api/quantity.ts'
import { hashOf } from '../backends.ts'
import { durationMs } from '../durations.ts'
import { ownerOf } from '../host-rule.ts'
import type { Policing, RateLimit } from '../policing.ts'

export function trafficOf(policy: TrafficPolicy): Policing {
  const {
    rateLimits = [],
    maxBodySize,
    maxHeaderSize,
    cache,
    accessLog,
    maintenance,
    compression,
    requestId,
  } = policy.spec
  const source = ownerOf(policy)
  return {
    source,
    ...(rateLimits.length > 0 && { limits: rateLimits.map(limit => rateLimit(limit, source)) }),
    ...(maxBodySize !== undefined && { maxBodyBytes: wholeValue(maxBodySize) }),
    ...(maxHeaderSize !== undefined && { maxHeaderBytes: wholeValue(maxHeaderSize) }),
    ...(accessLog !== undefined && { log: { headers: accessLog.headers ?? [] } }),
    ...(cache !== undefined && {
      cache: {
        maxAgeSeconds: Math.ceil(durationMs(cache.maxAge) / 1000),
        maxObjectBytes: wholeValue(cache.maxObjectSize),
        bytes: wholeValue(cache.size),
      },
    }),
    ...(maintenance !== undefined && {
      maintenance: {
        message: maintenance.message,
        ...(maintenance.retryAfter !== undefined && {
          retryAfterSeconds: Math.ceil(durationMs(maintenance.retryAfter) / 1000),
        }),
      },
    }),
    ...(compression !== undefined && { compressed: compression.contentTypes }),
    ...(requestId !== undefined && { requestId: requestId.header }),
  }
}

function rateLimit({ requests, per, by, header }: WrittenRateLimit, source: string): RateLimit {
  const counted = {
    periodMs: durationMs(per),
    by: by === 'Header' ? { header: header! } : (by.toLowerCase() as 'address' | 'consumer' | 'everybody'),
  }
  // A limit that is raised goes on from the same counts.
  return { id: `limit_${hashOf({ source, ...counted })}`, requests, ...counted }
}
