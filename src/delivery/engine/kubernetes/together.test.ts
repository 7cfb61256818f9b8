import { expect, test } from 'vitest'
import type { Place } from '../parts.ts'
import { Together } from './together.ts'

const place = (namespace: string, service: string): Place => ({ environment: 'test', namespace, service })

test('what is asked at the same moment becomes one question for each namespace', async () => {
  const asked: string[] = []
  const together = new Together(async (namespace, services) => {
    asked.push(`${namespace}: ${services.join(' ')}`)
    return service => `${namespace} ${service}`
  })
  const places = [place('a', 'one'), place('b', 'one'), place('a', 'two'), place('a', 'one')]
  const answers = await Promise.all(places.map(each => together.ask(each)))
  expect(answers).toEqual(['a one', 'b one', 'a two', 'a one'])
  expect(asked).toEqual(['a: one two', 'b: one'])
  await together.ask(place('a', 'one'))
  expect(asked).toEqual(['a: one two', 'b: one', 'a: one'])
})

test('what fails fails for all that asked, and for nobody after them', async () => {
  let broken = true
  const together = new Together(async () => {
    if (broken) throw new Error('away')
    return service => service
  })
  const both = await Promise.allSettled(['one', 'two'].map(service => together.ask(place('a', service))))
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  broken = false
  expect(await together.ask(place('a', 'one'))).toBe('one')
})
