// Mistakes of a folder are all told, with exit code 1, and without a cluster.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import { CommandFailure } from '../output.ts'
import { checkCommand } from './check.ts'

const root = mkdtempSync(join(tmpdir(), 'sampan-check-'))
afterAll(() => rmSync(root, { recursive: true }))

let folder = ''
let printed: string[] = []
beforeEach(() => {
  folder = mkdtempSync(join(root, 'f-'))
  printed = []
  vi.spyOn(console, 'log').mockImplementation((text: string) => void printed.push(text))
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
})
afterEach(() => void vi.restoreAllMocks())

function put(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

test('what cannot be read is said to be so', () => {
  put('app.yml', 'name: shop\nfiles: { /etc/rules: ./rules }\n')
  mkdirSync(join(folder, 'rules'))
  expect(checked().lines).toEqual(['app.yml:2: files./etc/rules: expected a file, found a folder: ./rules'])
  put('rules.json', 'x'.repeat(1_048_577))
  put('app.yml', 'name: shop\nfiles: { /etc/rules: ./rules.json }\n')
  printed = []
  const large = 'app.yml:2: files./etc/rules: expected at most 1024 KiB, found 1025: ./rules.json'
  expect(checked().lines).toEqual([large])
  symlinkSync('nowhere', join(folder, 'rules', 'app.yml'))
  expect(checked().failure).toMatch(/rules\/app\.yml cannot be read: ENOENT/)
})

/** @returns what is printed, with files relative to the folder, and the failure */
function checked(places: string[] = [folder], options: { output?: 'json' } = {}): { lines: string[]; failure: string } {
  const here = `${relative(process.cwd(), folder)}/`
  let failure = ''
  try {
    checkCommand(places, options)
  } catch (error) {
    expect(error).toBeInstanceOf(CommandFailure)
    expect((error as CommandFailure).exitCode).toBe(1)
    failure = (error as Error).message
  }
  return { lines: printed.map(line => line.replaceAll(here, '')), failure }
}

test('a folder without mistakes is said to have none', () => {
  put('sampan.yml', 'services: { web: ./services/web }\nenvironments: { test: }')
  put('services/web/app.yml', 'name: web\nfiles: { /etc/rules.json: ./rules.json }\nenvironments: { test: }')
  put('services/web/rules.json', '{}')
  put('node_modules/other/app.yml', 'nme: other')
  expect(checked()).toEqual({ lines: [], failure: '' })
})

test('mistakes of all files are told, whatever is wrong in the others', () => {
  put('sampan.yml', 'enviroments: { test: }\nservices: { web: a, mail: b, other: }')
  put('a/app.yml', 'name: web\nreplica: 2')
  put('b/app.yml', 'name: post\nenvironments:\n  test7: { extends: tset }\n  test:')
  expect(checked()).toEqual({
    lines: [
      'sampan.yml:1: unknown field "enviroments"; did you mean "environments"?',
      'sampan.yml:2: services.mail: expected the folder of "mail", found that of "post": b',
      'sampan.yml:2: services.other: expected an app.yml in its folder, found no other/app.yml',
      'a/app.yml:2: unknown field "replica"; did you mean "replicas"?',
      'b/app.yml:3: environments.test7.extends: expected the name of an environment, found "tset"; did you mean "test"?',
    ],
    failure: '5 mistakes in 3 of 3 files',
  })
})

test('files that are not there are mistakes', () => {
  put('sampan.yml', 'servers: { redis: { host: r, user: u, password: P, authority: ./ca.pem } }')
  put('app.yml', 'name: web\nfiles: { /a: ./a }\nenvironments:\n  test:\n    files: { /b: ../b }')
  expect(checked().lines).toEqual([
    'sampan.yml:1: servers.redis.authority: expected a file beside this one, found no ./ca.pem',
    'app.yml:2: files./a: expected a file beside this one, found no ./a',
    'app.yml:5: environments.test.files./b: expected a file beside this one, found no ../b',
  ])
})

test('a manifest alone is checked with the file of its team', () => {
  put('sampan.yml', 'hooks: { team: https://example.com/hook }\nenvironments: { test: }\nreaders: [anna]')
  put('a/b/app.yml', 'name: web\nnotify: [tem]\nenvironments: { test7: { extends: test } }')
  expect(checked([join(folder, 'a/b/app.yml')]).lines).toEqual([
    'sampan.yml:3: readers[0]: expected a name from people, found "anna"; there is none',
    'a/b/app.yml:2: notify[0]: expected a hook of sampan.yml, found "tem"; did you mean "team"?',
  ])
})

test('scripts get the mistakes as data', () => {
  put('app.yml', 'name: web\nports: { http: 0 }')
  put('b/app.yml', 'name: web')
  const { lines, failure } = checked([folder], { output: 'json' })
  expect(JSON.parse(lines.join())).toEqual({
    files: [
      {
        file: 'app.yml',
        mistakes: [{ line: 2, field: 'ports.http', message: 'expected a port from 1 to 65535, found 0' }],
      },
      { file: 'b/app.yml', mistakes: [] },
    ],
  })
  expect(failure).toBe('1 mistake in 1 of 2 files')
})

test('a place without anything to check is a failure', () => {
  expect(checked().failure).toMatch(/^there is no app.yml and no sampan.yml in .* or below; .* sampan init$/)
  expect(checked([join(folder, 'nowhere')]).failure).toMatch(/^there is no .*nowhere$/)
})
