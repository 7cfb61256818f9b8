// Kubernetes' IntOrString where it means a number or a share: `3` or `25%`.

export const isPercent = (value: number | string | undefined): value is string =>
  typeof value === 'string' && /^\d+%$/.test(value)

/** The number itself, or that share of `total`, rounded as asked; absent or malformed is 0. */
export function resolveIntOrPercent(value: number | string | undefined, total: number, round: 'up' | 'down'): number {
  if (typeof value === 'number') return value
  if (!isPercent(value)) return 0
  const share = (Number.parseInt(value, 10) * total) / 100
  return round === 'up' ? Math.ceil(share) : Math.floor(share)
}
