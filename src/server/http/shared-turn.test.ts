import { expect, test } from 'vitest'
import { sharedTurn } from './shared-turn.ts'

async function inSteps(name: string, log: string[]): Promise<void> {
  await sharedTurn()
  for (const step of ['route', 'decode', 'store']) {
    log.push(`${step} ${name}`)
    await Promise.resolve()
  }
}

test('what arrived together goes through its steps side by side', async () => {
  const log: string[] = []
  await Promise.all([inSteps('a', log), inSteps('b', log)])
  expect(log).toEqual(['route a', 'route b', 'decode a', 'decode b', 'store a', 'store b'])
})

test('a crowd takes several turns, in the order of arrival, and others come between', async () => {
  const order: (number | string)[] = []
  const crowd = Array.from({ length: 100 }, async (_, index) => {
    await sharedTurn()
    order.push(index)
  })
  setImmediate(() => order.push('something else'))
  await Promise.all(crowd)
  expect(order.filter(entry => typeof entry === 'number')).toEqual(Array.from({ length: 100 }, (_, index) => index))
  expect(order.indexOf('something else')).toBeLessThan(100)
})

test('who comes while a turn is under way has the next one', async () => {
  const order: string[] = []
  const takeTurn = async (name: string): Promise<void> => {
    await sharedTurn()
    order.push(name)
  }
  const others = [takeTurn('first'), takeTurn('second')]
  await sharedTurn()
  await Promise.all([...others, takeTurn('late')])
  expect(order).toEqual(['first', 'second', 'late'])
})
