// Which of the places that requests are shared among leads where, by weights: the nearest whole numbers, and at least one
// for whatever has a weight. Pure.
import type { Share } from '../model/model.ts'

/** @returns for each share, how many of `places`; none at all when there is no weight */
export function placesOf(shares: readonly Share[], places: number): readonly number[] {
  const total = shares.reduce((sum, { weight }) => sum + weight, 0)
  if (total === 0) return shares.map(() => 0)
  const exact = shares.map(({ weight }) => (weight / total) * places)
  const whole = exact.map((share, index) => (shares[index]!.weight === 0 ? 0 : Math.max(1, Math.floor(share))))
  const left = places - whole.reduce((sum, each) => sum + each, 0)
  // Those that lost most by the cut get what is left.
  const byLoss = [...shares.keys()]
    .filter(index => shares[index]!.weight > 0)
    .toSorted((one, other) => exact[other]! - whole[other]! - (exact[one]! - whole[one]!))
  for (const index of byLoss.slice(0, Math.max(0, left))) whole[index]!++
  // Whoever has most gives what others have too much.
  for (let over = -left; over > 0; over--) whole[whole.indexOf(Math.max(...whole))]!--
  return whole
}
