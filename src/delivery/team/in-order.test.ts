import { expect, test } from 'vitest'
import { inOrder } from './in-order.ts'

/** Runs them, one of which fails. */
async function working(
  needs: Record<string, string[]>,
  failing?: string,
): Promise<{ events: string[]; outcomes: string[] }> {
  const events: string[] = []
  const outcomes = await inOrder(needs, async name => {
    events.push(`${name} begins`)
    await Promise.resolve()
    if (name === failing) throw new Error('no')
    events.push(`${name} ends`)
  })
  return { events, outcomes: outcomes.map(({ name, state }) => `${name} ${state}`) }
}

test('services without needs go side by side, others after what they need', async () => {
  const { events } = await working({ web: ['orders', 'mail'], orders: [], mail: [] })
  expect(events).toEqual(['orders begins', 'mail begins', 'orders ends', 'mail ends', 'web begins', 'web ends'])
})

test('what needs one that failed is not begun, others are', async () => {
  const { outcomes } = await working({ web: ['orders'], orders: [], mail: [], page: ['web'] }, 'orders')
  expect(outcomes).toEqual(['web waiting', 'orders failed', 'mail done', 'page waiting'])
})

test('needs that are not among them count as done, and shared ones are worked on once', async () => {
  const { events } = await working({ web: ['orders', 'elsewhere'], page: ['orders'], orders: [] })
  expect(events.filter(event => event === 'orders begins')).toHaveLength(1)
  expect(events.at(-1)).toBe('page ends')
})
