// Which generated cases the fuzz and property tests try. Every run tries the same ones, so that a change is
// judged by what it changed.

/**
 * @param asked SAMPAN_FUZZ_SEED: a number for certain cases, `random` to look for new ones
 * @throws Error when it is something else
 */
export function fuzzSeed(asked = process.env.SAMPAN_FUZZ_SEED ?? '1'): number {
  if (asked === 'random') return Date.now() % 1_000_000_000
  const seed = Number(asked)
  if (asked.trim() === '' || !Number.isSafeInteger(seed))
    throw new Error(`SAMPAN_FUZZ_SEED: expected a whole number or "random", found ${JSON.stringify(asked)}`)
  return seed
}
