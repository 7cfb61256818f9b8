// Go's syntax of durations (`1h30m`, `-1.5s`, `.5ms`, `0`), which Kubernetes uses wherever people write one.
import { largestInt64 } from './int64.ts'

const second = 1_000_000_000n
const unitNanoseconds: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: second,
  m: 60n * second,
  h: 3600n * second,
}

/** Nanoseconds; undefined when the text is no duration, or one that 64 bits do not hold. */
export function parseGoDuration(text: string): bigint | undefined {
  const [, sign, body] = /^([+-]?)(.+)$/s.exec(text) ?? []
  if (body === undefined) return undefined
  if (body === '0') return 0n
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(body)) return undefined
  let total = 0n
  for (const [, whole = '', fraction = '', unit] of body.matchAll(/(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)/g)) {
    const size = unitNanoseconds[unit!]!
    total +=
      BigInt(whole || '0') * size + (fraction === '' ? 0n : (BigInt(fraction) * size) / 10n ** BigInt(fraction.length))
  }
  return total > largestInt64 ? undefined : sign === '-' ? -total : total
}
