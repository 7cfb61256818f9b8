import { expect, test } from 'vitest'
import { StartQueue } from './start-queue.ts'

const settle = (): Promise<void> => new Promise(resolve => { setTimeout(resolve, 1) })

/** Work that ends when it is told to, noting when it began. */
function works(queue: StartQueue) {
  const order: string[] = []
  const ends = new Map<string, () => void>()
  const ask = (name: string, workload: string, hasBegun = false): Promise<void> => queue.run(workload, hasBegun, () => new Promise<void>(resolve => {
    order.push(name)
    ends.set(name, resolve)
  }))
  const end = async (name: string): Promise<void> => {
    ends.get(name)!()
    await settle()
  }
  return { order, ask, end }
}

test('one of every workload comes before the second of any', async () => {
  const { order, ask, end } = works(new StartQueue(2))
  const all = [ask('back-1', 'back'), ask('back-2', 'back'), ask('back-3', 'back'), ask('front-1', 'front'), ask('front-2', 'front')]
  await settle()
  expect(order).toEqual(['back-1', 'front-1'])
  await end('back-1')
  await end('front-1')
  expect(order).toEqual(['back-1', 'front-1', 'back-2', 'front-2'])
  await end('back-2')
  await end('front-2')
  await end('back-3')
  await Promise.all(all)
})

test('what has begun is finished first', async () => {
  const { order, ask, end } = works(new StartQueue(1))
  const all = [ask('first', 'a'), ask('second', 'b')]
  await settle()
  all.push(ask('container of first', 'a', true))
  await settle()
  await end('first')
  expect(order).toEqual(['first', 'container of first'])
  await end('container of first')
  await end('second')
  await Promise.all(all)
})

test('work that fails gives its place back', async () => {
  const queue = new StartQueue(1)
  await expect(queue.run('a', false, async () => { throw new Error('no') })).rejects.toThrow('no')
  expect(await queue.run('a', false, async () => 'done')).toBe('done')
})
