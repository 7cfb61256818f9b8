// `sampan gateway import`: what goes where, with which exit code, and that a cluster leads requests as the file says.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { CommandFailure } from '../output.ts'
import { importGateway, type ImportOptions } from './gateway-import.ts'

const folder = mkdtempSync(join(tmpdir(), 'sampan-import-'))
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = undefined
})

const fileOf = (text: string): string => {
  const path = join(folder, 'kong.yaml')
  writeFileSync(path, text)
  return path
}

async function run(text: string, options: Partial<ImportOptions> = {}) {
  const written: string[] = []
  vi.spyOn(process.stdout, 'write').mockImplementation(chunk => written.push(String(chunk)) > 0)
  const printed = vi.spyOn(console, 'log').mockReturnValue()
  const told = vi.spyOn(console, 'error').mockReturnValue()
  await importGateway([fileOf(text)], { namespace: 'shop', ...options })
  return {
    written: written.join(''),
    printed: printed.mock.calls.flat().join('\n'),
    told: told.mock.calls.flat().join('\n'),
    code: process.exitCode,
  }
}

const whole =
  'services: [{ name: a, url: "http://10.0.0.1", routes: [{ name: a, hosts: [a.test], preserve_host: true }] }]'

test('objects go to standard output, and what became of each thing to standard error', async () => {
  const { written, told, code } = await run(whole)
  const documents = parseAllDocuments(written).map(
    each => each.toJS() as { kind: string; metadata: object; spec: object },
  )
  expect(documents.map(({ kind, metadata }) => [kind, metadata])).toMatchObject([
    ['Service', { name: 'a', namespace: 'shop' }],
    ['EndpointSlice', { name: 'a-1', namespace: 'shop' }],
    ['HTTPRoute', { name: 'a', namespace: 'shop' }],
  ])
  expect(documents[2]!.spec).toMatchObject({ parentRefs: [{ namespace: 'kube-system', name: 'sampan' }] })
  expect(told.split('\n')).toEqual([
    'kept         services a: the Service a with the address 10.0.0.1',
    'kept         services a / routes a: the HTTPRoute a',
    '3 objects; 2 kept, 0 changed, 0 left out',
  ])
  expect(code).toBeUndefined()
})

test('it ends with 3 when something was left out', async () => {
  const { code, told } = await run(`${whole}\nplugins: [{ name: datadog }]`)
  expect(told).toContain('left out     plugins datadog: this gateway has no equal')
  expect(code).toBe(3)
})

test.each<[string, object]>([
  ['public', { name: 'public' }],
  ['gateways/public', { namespace: 'gateways', name: 'public' }],
])('routes are attached to the Gateway %s', async (gateway, parent) => {
  const { printed } = await run(whole, { gateway, output: 'json' })
  const { kind, items, report } = JSON.parse(printed) as { kind: string; items: { spec: object }[]; report: object[] }
  expect([kind, items[2]!.spec]).toMatchObject(['List', { parentRefs: [parent] }])
  expect(report[0]).toEqual({ at: 'services a', outcome: 'kept', text: 'the Service a with the address 10.0.0.1' })
})

test.each<[string, () => Promise<unknown>, string | RegExp]>([
  [
    'a file that is not there',
    () => importGateway([join(folder, 'none')], { namespace: 'shop' }),
    /^expected a file to read, found none at/,
  ],
  [
    'a file of something else',
    () => run('kind: Pod'),
    /^expected the configuration of Kong .* found kind; write it by/,
  ],
  [
    'a Gateway that is none',
    () => run(whole, { gateway: 'a/b/c' }),
    'expected --gateway NAME or NAMESPACE/NAME, found a/b/c',
  ],
  ['a namespace that is none', () => run(whole, { namespace: 'A B' }), /^expected a name of lower-case letters/],
])('%s is told', async (_what, work, message) => {
  const failure: unknown = await work().catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(CommandFailure)
  expect((failure as Error).message).toMatch(message)
})
