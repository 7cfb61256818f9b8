// How a policy of balancing shares requests, in words. Pure.
import type { BalancingPolicy } from '../api/gateway-api/policies.ts'
import { durationMs } from './model/durations.ts'

type Spec = BalancingPolicy['spec']

export const balancingWords = ({
  algorithm,
  hash,
  affinity,
  ejection,
  slowStart,
  concurrency,
}: Spec): readonly string[] => [
  choiceWords(algorithm, hash),
  ...(affinity === undefined
    ? []
    : [
        `clients stay with their instance by a cookie${affinity.cookie.name === undefined ? '' : ` ${affinity.cookie.name}`}${affinity.cookie.maxAge === undefined ? '' : ` for ${seconds(affinity.cookie.maxAge)}`}`,
      ]),
  ...(ejection === undefined
    ? []
    : [
        `an instance gets nothing for ${seconds(ejection.duration)} after ${ejection.consecutiveErrors} errors in a row`,
      ]),
  ...(slowStart === undefined ? [] : [`an instance that comes gets all of its share after ${seconds(slowStart)}`]),
  ...(concurrency === undefined ? [] : [concurrencyWords(concurrency)]),
]

const seconds = (duration: string): string => `${durationMs(duration) / 1000} s`

const placesOfHash = { Header: 'the header', Cookie: 'the cookie', QueryParameter: 'the query parameter' } as const

function choiceWords(algorithm: Spec['algorithm'], hash: Spec['hash']): string {
  if (algorithm === 'RoundRobin') return 'instances take turns'
  if (algorithm === 'LeastConnections') return 'the instance with the fewest requests gets the next'
  return `one instance for each value of ${hash === undefined || hash.by === 'Address' ? 'the client’s address' : `${placesOfHash[hash.by]} ${hash.name}`}`
}

const concurrencyWords = ({ perInstance, queue }: NonNullable<Spec['concurrency']>): string =>
  `at most ${perInstance} at a time for an instance; ${queue.length === undefined ? 'others wait' : `${queue.length} more wait`} for up to ${seconds(queue.timeout)}`
