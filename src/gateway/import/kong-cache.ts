// Kong's plugin proxy-cache, as the cache of a TrafficPolicy. Kong keeps whatever has one of its statuses and types, and this
// gateway what services let be kept: it never keeps more. Pure. Source: Kong, plugins proxy-cache and proxy-cache-advanced.
import type { Fields } from './fields.ts'
import type { Made } from './kong-policies.ts'

/** That Kong keeps for as long as services say. */
const longestSeconds = 86_400

const differences: Readonly<Record<string, string>> = {
  response_code: 'answers with 200 are kept, and no others',
  request_method: 'answers to GET are kept, and no others',
  content_type: 'answers of all types are kept, as far as their service lets them be',
  vary_query_params: 'all of the query says which answer it is, and not some parameters alone',
  strategy: 'each gateway keeps answers by itself, in memory',
  redis: 'each gateway keeps answers by itself, in memory',
  memory: 'each gateway keeps answers by itself, in memory: size says how much for each service',
  storage_ttl: 'nothing is kept beyond its time',
  bypass_on_err: 'a cache in memory does not fail',
  response_headers: 'whether an answer was kept is said by Age alone',
}

export function answerCache(config: Fields): Made {
  const { report, place } = config
  const seconds = config.number('cache_ttl') ?? 300
  const isSaid = config.flag('cache_control') ?? false
  const varied = (config.texts('vary_headers') ?? []).filter(name => name.toLowerCase() !== 'accept-encoding')
  for (const [key, why] of Object.entries(differences))
    if (config.has(key)) {
      config.value(key)
      report.changed(place(key), why)
    }
  if (config.flag('ignore_uri_case') === true)
    report.changed(place('ignore_uri_case'), 'paths that differ in case are kept apart')
  const problem =
    varied.length > 0
      ? `what is kept would be given to all, whatever ${varied.join(', ')} (vary_headers) says; have the service say Vary, and write cache in a TrafficPolicy for what varies by nothing`
      : !Number.isInteger(seconds) || seconds < 1
        ? 'expected a whole number of seconds in cache_ttl'
        : undefined
  if (problem !== undefined) {
    for (const key of ['cache_control', 'cache_ttl'])
      if (config.has(key)) report.passedOver(key, 'where nothing is kept')
    report.leftOut(config.at, `nothing is kept: ${problem}`)
    return {}
  }
  report.changed(
    config.at,
    isSaid
      ? 'answers are kept as Cache-Control says, for a day at most; up to 64Ki each (maxObjectSize), and what varies is not kept'
      : `answers are kept when Cache-Control of their service lets them be, which Kong does not ask: have it say public, max-age=${seconds}; up to 64Ki each (maxObjectSize)`,
  )
  report.changed(config.at, 'where somebody has to show who it is, answers are kept that are public, and for all')
  if (isSaid && config.has('cache_ttl')) report.passedOver('cache_ttl', 'with cache_control, Cache-Control says it')
  const maxAge = isSaid ? longestSeconds : Math.min(seconds, longestSeconds)
  if (!isSaid && seconds > maxAge) report.changed(place('cache_ttl'), 'answers are kept for a day at most')
  return { traffic: { cache: { maxAge: `${maxAge}s`, maxObjectSize: '64Ki', size: '8Mi' } } }
}
