import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dnsCommand } from './dns-command.ts'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sampan-dns-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

function program(script: string): string {
  const path = join(directory, 'dns')
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return path
}

test('the program gets three words, whatever they hold', async () => {
  const file = join(directory, 'words')
  const path = program(`printf '%s\\n' "$#" "$@" > ${file}`)
  await dnsCommand(path, 'add', '_acme-challenge.a.test', '$(touch x); "y"')
  expect(readFileSync(file, 'utf8')).toBe('3\nadd\n_acme-challenge.a.test\n$(touch x); "y"\n')
})

test('what it says when it fails is told', async () => {
  const path = program('echo one; echo two >&2; exit 4')
  await expect(dnsCommand(path, 'remove', '_acme-challenge.a.test', 'v')).rejects.toMatchObject({
    reason: 'CommandFailed',
    message: `${path} remove _acme-challenge.a.test: exit code 4: one\ntwo`,
  })
})

test('without one, how to name one is told', async () => {
  await expect(dnsCommand(undefined, 'add', 'a', 'v')).rejects.toThrow('--acme-dns-command PROGRAM')
})

test('one that is not there is told', async () => {
  await expect(dnsCommand(join(directory, 'none'), 'add', 'a', 'v')).rejects.toMatchObject({ reason: 'CommandFailed' })
})
