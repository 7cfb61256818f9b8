import { expect, test } from 'vitest'
import { FakeClock } from '../testing/fake-clock.ts'
import { StartQueue } from './start-queue.ts'

const settle = (): Promise<void> =>
  new Promise(resolve => {
    setTimeout(resolve, 1)
  })

/** Work that ends when it is told to, noting when it began. */
function works({ limit, processors = limit }: { readonly limit: number; readonly processors?: number }) {
  const clock = new FakeClock()
  const queue = new StartQueue({ clock, limit, processors })
  const order: string[] = []
  const ends = new Map<string, () => void>()
  const ask = (uid: string, workload: string, hasBegun = false): Promise<void> =>
    queue.run(
      { uid, workload },
      hasBegun,
      () =>
        new Promise<void>(resolve => {
          order.push(uid)
          ends.set(uid, resolve)
        }),
    )
  const end = async (uid: string): Promise<void> => {
    ends.get(uid)!()
    queue.settled(uid)
    await settle()
  }
  /** Its sandbox is there, but it does not serve yet. */
  const begun = async (uid: string): Promise<void> => {
    ends.get(uid)!()
    await settle()
  }
  return { clock, queue, order, ask, end, begun }
}

test('one of every workload comes before the second of any', async () => {
  const { order, ask, end } = works({ limit: 2 })
  const all = [
    ask('back-1', 'back'),
    ask('back-2', 'back'),
    ask('back-3', 'back'),
    ask('front-1', 'front'),
    ask('front-2', 'front'),
  ]
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
  const { order, ask, end } = works({ limit: 1 })
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

test('further instances wait until a processor is done with a first one', async () => {
  const { queue, order, ask, begun } = works({ limit: 3, processors: 2 })
  void ask('back-1', 'back')
  void ask('back-2', 'back')
  void ask('front-1', 'front')
  void ask('front-2', 'front')
  await settle()
  expect(order).toEqual(['back-1', 'front-1'])
  await begun('back-1')
  await begun('front-1')
  expect(order).toEqual(['back-1', 'front-1'])
  queue.settled('front-1')
  await settle()
  expect(order).toEqual(['back-1', 'front-1', 'back-2', 'front-2'])
})

test('nobody waits long for a first instance that does not come up', async () => {
  const { clock, order, ask, begun } = works({ limit: 2, processors: 1 })
  void ask('back-1', 'back')
  void ask('back-2', 'back')
  await settle()
  await begun('back-1')
  expect(order).toEqual(['back-1'])
  await clock.advance(1_500)
  await settle()
  expect(order).toEqual(['back-1', 'back-2'])
})

test('first instances do not wait for each other', async () => {
  const { order, ask } = works({ limit: 3, processors: 1 })
  void ask('back-1', 'back')
  void ask('front-1', 'front')
  await settle()
  expect(order).toEqual(['back-1', 'front-1'])
})

test('work that fails gives its place back', async () => {
  const { queue } = works({ limit: 1 })
  await expect(
    queue.run({ uid: 'a-1', workload: 'a' }, false, async () => {
      throw new Error('no')
    }),
  ).rejects.toThrow('no')
  expect(await queue.run({ uid: 'a-1', workload: 'a' }, false, async () => 'done')).toBe('done')
})
