// Answers that are kept, as lines of a backend and sections of their own: one for each backend, since two that are asked for the
// same may say something else. What is kept, and for how long, is what services say of it. Pure.
// Sources: HAProxy's configuration manual 2.6, "Cache"; RFC 9111, 3.5.
import { hashOf } from '../model/backends.ts'
import type { Backend } from '../model/model.ts'
import type { AnswerCache, Policing } from '../model/policing.ts'

const megabyte = 1 << 20
/** Of an object in a cache: half of it. */
const mostMegabytes = 4095

/** The innermost one counts. */
const cacheOf = (policies: readonly Policing[] = []): AnswerCache | undefined =>
  policies.flatMap(({ cache }) => cache ?? []).at(-1)

/** HAProxy cuts names of caches off at 32 characters. */
const nameOf = (id: string): string => `kept_${hashOf(id)}`.slice(0, 32)

export function cacheLines(
  id: string,
  policies: readonly Policing[],
): { readonly settings: readonly string[]; readonly lines: readonly string[] } {
  if (cacheOf(policies) === undefined) return { settings: [], lines: [] }
  const name = nameOf(id)
  const isForAll = policies.every(({ identity }) => identity === undefined)
  return {
    settings: [`filter cache ${name}`],
    lines: [
      `http-request cache-use ${name}`,
      // What somebody got who had to say who it is is for others when it says so.
      `http-response cache-store ${name}${isForAll ? '' : ' if { res.hdr(cache-control) -m sub public }'}`,
    ],
  }
}

export const cacheSections = (backends: ReadonlyMap<string, Backend>): readonly string[] =>
  [...backends.values()].flatMap(({ id, handling, protocol }) => {
    const cache = protocol === 'tcp' ? undefined : cacheOf(handling.policies)
    if (cache === undefined) return []
    const size = Math.min(mostMegabytes, Math.max(1, Math.floor(cache.bytes / megabyte)))
    return [
      '',
      `cache ${nameOf(id)}`,
      `total-max-size ${size}`,
      `max-object-size ${Math.min(cache.maxObjectBytes, (size * megabyte) / 2)}`,
      `max-age ${cache.maxAgeSeconds}`,
      'process-vary on',
    ]
  })
