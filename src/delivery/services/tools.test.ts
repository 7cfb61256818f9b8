// Where the field's own programs run: on this machine, and in an instance (here a process of the machine).
import { spawn } from 'node:child_process'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import type { Engine } from '../engine/engine.ts'
import { ServiceFailure, type RunTool, type Tool } from './backing-service.ts'
import { instanceTool } from './instance-tool.ts'
import { machineTool } from './machine-tool.ts'

const commandLines: string[] = []

const engine: Pick<Engine, 'exec'> = {
  exec: (_place, { command, terminal }) => {
    commandLines.push(command.join(' '))
    const child = spawn(command[0]!, command.slice(1))
    child.stdin.on('error', () => {})
    terminal.input?.pipe(child.stdin)
    child.stdout.pipe(terminal.output, { end: false })
    child.stderr.pipe(terminal.errors, { end: false })
    return new Promise(resolve => {
      child.on('close', code => resolve(code ?? 1))
    })
  },
}

const place = { environment: 'test', namespace: 'test', service: 'shop' }

describe.each([
  ['machine', machineTool],
  ['instance', instanceTool(engine, place, 'db-0', new AbortController().signal)],
] as [string, RunTool][])('a tool of the %s', (_name, runTool) => {
  const tool = (script: string, more: Partial<Tool> = {}): Tool => ({
    programs: ['no-such-program', 'sh'],
    arguments: ['-c', script],
    variables: { PASSWORD: ` it's "secret" \\ $HOME ` },
    package: 'dash',
    ...more,
  })

  test('gets its input after its secrets, and its output is whole', async () => {
    const input = Readable.from([Buffer.from('first line\n'), Buffer.alloc(300_000, 'x')])
    const output = new PassThrough()
    const [written] = await Promise.all([
      buffer(output),
      runTool(tool('printf "%s\\n" "$PASSWORD"; exec cat', { input, output })),
    ])
    expect(String(written)).toBe(` it's "secret" \\ $HOME \nfirst line\n${'x'.repeat(300_000)}`)
    expect(commandLines.join('\n')).not.toContain('secret')
  })

  test('that fails is told in its own words', async () => {
    const input = Readable.from([Buffer.alloc(300_000, 'x')])
    await expect(runTool(tool('echo "no such table" >&2; exit 3', { input }))).rejects.toThrow(
      /^sh (?:in db-0 )?ended with 3: no such table/,
    )
  })

  test('that is not there is named', async () => {
    const failed = await runTool(tool('', { programs: ['no-such-program', 'no-such-one'] })).catch(
      (error: unknown) => error,
    )
    expect(failed).toBeInstanceOf(ServiceFailure)
    expect(String(failed)).toContain('no-such-program or no-such-one was not found')
  })
})

test('a tool of an instance that writes ends with whoever asked for it', async () => {
  const gone = Promise.withResolvers<number>()
  const leaving: Pick<Engine, 'exec'> = {
    exec: (_place, { command, terminal }) => {
      const child = spawn(command[0]!, command.slice(1))
      if (!command.join(' ').includes('endless')) return new Promise(resolve => child.on('close', () => resolve(0)))
      terminal.input!.pipe(child.stdin)
      // As a connection that has broken: what it writes stays where it is, and its input has an end.
      child.stdout.once('data', () => {
        child.stdout.pause()
        child.stdin.end()
      })
      child.on('exit', code => gone.resolve(code ?? 0))
      return gone.promise
    },
  }
  const runTool = instanceTool(leaving, place, 'db-0', new AbortController().signal)
  const tool = { programs: ['sh'], arguments: ['-c', 'while :; do echo endless; done'], variables: {}, package: 'dash' }
  await expect(runTool({ ...tool, output: new PassThrough() })).rejects.toThrow('sh in db-0 ended with 143')
})
