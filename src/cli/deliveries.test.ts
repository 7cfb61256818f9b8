// What deliveries of this machine tell, beside their steps.
import { expect, test } from 'vitest'
import { MemoryEngine } from '../delivery/engine/memory/memory-engine.ts'
import { readTeam } from '../delivery/team/read-team.ts'
import { machineClock } from '../host/machine-clock.ts'
import { deliveryOptions } from './deliveries.ts'
import { Output } from './output.ts'

test('a hook that need not be told, and was not, is named with the reason', async () => {
  const team = readTeam(
    'sampan.yml',
    'hooks: { chat: { url: "http://127.0.0.1:1/", optional: true }, must: http://127.0.0.1:1/ }',
  )
  const lines: string[] = []
  const output = new Output()
  output.line = (text: string | undefined) => void lines.push(text ?? '')
  const target = { environment: 'test', folder: '/', settings: undefined, team, engine: new MemoryEngine() }
  const identity = { key: undefined, keyFile: undefined, home: '/nowhere' }
  const settings = { timeout: 1, clock: machineClock, isAlive: () => true, identity }
  const options = deliveryOptions(target, settings, output, new AbortController().signal)
  const news = { event: 'deployed', service: 's', environment: 'test', version: '1', revision: 1, by: 'me' } as const
  await options.tell('chat', news)
  expect(lines).toEqual(['the hook "chat", which is optional, could not be told: bad port'])
  await expect(options.tell('must', news)).rejects.toThrow('bad port')
})
