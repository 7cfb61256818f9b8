import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { isAppArmorEnabled } from './app-armor.ts'

const debian = {
  'sys/kernel/security/apparmor/profiles': 'docker-default (enforce)\n',
  'sys/module/apparmor/parameters/enabled': 'Y\n',
  'sbin/apparmor_parser': '',
}

const { 'sbin/apparmor_parser': _parser, ...withoutParser } = debian

test.each<[string, Record<string, string>, string, boolean]>([
  ['a stock Debian', debian, '', true],
  ['switched off', { ...debian, 'sys/module/apparmor/parameters/enabled': 'N\n' }, '', false],
  ['without the program that loads profiles', withoutParser, '', false],
  ['a container on a stock Debian', debian, 'docker', false],
  ['another kernel', {}, '', false],
])('%s', (_what, files, container, expected) => {
  const root = mkdtempSync(join(tmpdir(), 'sampan-app-armor-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  expect(isAppArmorEnabled(root, container)).toBe(expected)
})
