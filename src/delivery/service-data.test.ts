// Programs run as real processes here, in the place of those of an instance.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { beforeEach, describe, expect, test } from 'vitest'
import { MemoryDelivery, plainManifest } from '../testing/memory-delivery.ts'
import type { DeliveryOptions } from './delivering.ts'
import type { CommandInInstance } from './engine/engine.ts'
import type { Reached, RunTool, Tool } from './services/backing-service.ts'
import { backupData, restoreData } from './service-data.ts'

let delivery: MemoryDelivery
let commands: string[]
let reached: Reached | undefined
let tool: Omit<Tool, 'input' | 'output'>

beforeEach(async () => {
  delivery = new MemoryDelivery()
  await delivery.deploy({ ...plainManifest, services: [{ type: 'postgres' }] }, '1.0.0')
  commands = []
  delivery.engine.exec = async (_place, { command, terminal }: CommandInInstance) => {
    commands.push(command.join(' '))
    const child = spawn(command[0]!, command.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] })
    child.stdin.on('error', () => {})
    if (terminal.input === undefined) child.stdin.end()
    else terminal.input.pipe(child.stdin)
    child.stdout.pipe(terminal.output, { end: false })
    child.stderr.pipe(terminal.errors, { end: false })
    const [code] = (await once(child, 'close')) as [number]
    return code
  }
  tool = {
    programs: ['not-there', 'sh'],
    arguments: ['-c', 'echo "$WORD"; cat'],
    variables: { WORD: 'not: told "it' },
    package: 'x',
  }
})

/** With a database whose backups are made by that tool. */
const withTool = (options: DeliveryOptions): DeliveryOptions => ({
  ...options,
  service: async type => {
    const backing = await options.service(type)
    const using =
      (direction: 'input' | 'output') =>
      (server: Reached, _wanted: unknown, stream: unknown, runTool: RunTool | undefined): Promise<void> => {
        reached = server
        return runTool!({ ...tool, [direction]: stream })
      }
    return { ...backing, usesTools: true, backup: using('output'), restore: using('input') }
  },
})

const backup = async (): Promise<string> => {
  const stream = new PassThrough()
  const [content] = await Promise.all([
    text(stream),
    delivery
      .work(options => backupData({ place: delivery.place }, stream, withTool(options)))
      .catch((error: unknown) => {
        stream.end()
        throw error
      }),
  ])
  return content
}

describe('the programs of a managed server', () => {
  test('run in its instance, and learn passwords where no list of processes shows them', async () => {
    expect(await backup()).toBe('not: told "it\n')
    expect(reached).toMatchObject({ host: '127.0.0.1', port: 5432, administrator: { user: 'postgres' } })
    expect(commands.join('\n')).not.toContain('not: told')
  })

  test('get what is restored to its last byte', async () => {
    tool = { ...tool, arguments: ['-c', 'test "$WORD" = \'not: told "it\' && test "$(cat | wc -c)" -eq 100000'] }
    const from = Readable.from([Buffer.alloc(60_000, 'a'), Buffer.alloc(40_000, 'b')])
    const what = await delivery.work(options => restoreData({ place: delivery.place }, from, withTool(options)))
    expect(what).toBe('postgres database hcn on hcn-postgres')
  })

  test('tell why they fail', async () => {
    tool = { ...tool, arguments: ['-c', 'echo "no such table" >&2; exit 3'] }
    await expect(backup()).rejects.toThrow('no such table')
    tool = { ...tool, programs: ['not-there'] }
    await expect(backup()).rejects.toThrow('not-there was not found in hcn-postgres-0')
  })
})

test.each([
  [undefined, [], '"hcn" has no backing service in test'],
  ['redis', ['postgres'], '"hcn" has postgres, and no redis in test'],
] as const)('what there is not (%s of %s) is told', async (type, types, words) => {
  const other = new MemoryDelivery()
  await other.deploy({ ...plainManifest, services: types.map(each => ({ type: each })) }, '1.0.0')
  const wanted = { place: other.place, ...(type !== undefined && { type }) }
  await expect(other.work(options => backupData(wanted, new PassThrough(), options))).rejects.toThrow(words)
})
