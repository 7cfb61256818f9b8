// What is owed of a terminal: input, output and exit code, in an instance or a process of its own.
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { DeployError } from '../../deploy-error.ts'
import type { Terminal } from '../engine.ts'
import { failureOf, watch, type Suite } from './suite.ts'

export function testTerminals(suite: Suite): void {
  const { describeOf, newPlace, seen } = suite
  const { workload, run } = suite.parts

  describeOf('terminals')('a terminal', () => {
    function terminal(input?: string): { readonly terminal: Terminal; output(): Promise<string> } {
      const [output, errors] = [new PassThrough(), new PassThrough()]
      const written = text(output)
      return {
        terminal: {
          ...(input !== undefined && { input: Readable.from([Buffer.from(input)]) }),
          output,
          errors,
          raw: false,
          signal: new AbortController().signal,
        },
        output: () => {
          output.end()
          return written
        },
      }
    }

    test('has a command in an instance, with its input, output and exit code', async () => {
      const place = newPlace()
      await suite.engine.rollOut(place, workload(place), watch())
      const [instance] = (await seen(place))!.instances
      const given = terminal('said')
      const command = { instance: instance!.name, command: suite.processes.echoes, terminal: given.terminal }
      expect(await suite.engine.exec(place, command)).toBe(0)
      expect(await given.output()).toBe('said')
      const failing = { ...command, command: ['sh', '-c', 'exit 7'], terminal: terminal().terminal }
      expect(await suite.engine.exec(place, failing)).toBe(7)
    })

    test('is refused a command in an instance that is not there', async () => {
      const command = { instance: 'nobody', command: ['true'], terminal: terminal().terminal }
      expect(await failureOf(suite.engine.exec(newPlace(), command))).toBeInstanceOf(DeployError)
    })

    test.for([undefined, 'said'])('has a process of its own, which leaves nothing (input: %s)', async input => {
      const place = newPlace()
      const given = terminal(input)
      const process = input === undefined ? suite.processes.says(['said'], 5) : suite.processes.serves
      const command = input === undefined ? process.command : suite.processes.echoes
      const code = await suite.engine.runAttached(place, run(place, { ...process, command }), given.terminal)
      expect([code, (await given.output()).trim()]).toEqual([input === undefined ? 5 : 0, 'said'])
      expect(await suite.engine.resultOf(place, `${place.service}-run`, watch())).toBeUndefined()
    })
  })
}
