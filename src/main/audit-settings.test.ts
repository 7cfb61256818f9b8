import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLogger } from '../lib/logger.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { auditSettings } from './audit-settings.ts'

let directory: string
const file = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text)
  return join(directory, name)
}
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sampan-audit-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

test.each([
  ['no-policy.yml', 'rules: []', 'expected apiVersion audit.k8s.io/v1 and kind Policy, found undefined and undefined'],
  ['no-yaml.yml', 'a: [', 'audit-policy-file'],
])('%s is refused in one sentence', (name, text, message) => {
  const policy = file(name, text)
  const open = (): unknown =>
    auditSettings(
      { auditPolicyFile: policy, auditLogPath: join(directory, 'audit.log') },
      new FakeClock(),
      silentLogger,
    )
  expect(open).toThrow(message)
  expect(open).toThrow(/^[^\n]*$/)
})

test('policy and log belong together', async () => {
  expect(() => auditSettings({ auditLogPath: '/tmp/x' }, new FakeClock(), silentLogger)).toThrow(
    '--audit-policy-file and --audit-log-path must be given together',
  )
  expect(auditSettings({}, new FakeClock(), silentLogger)).toBeUndefined()
  const settings = auditSettings(
    {
      auditPolicyFile: file('good.yml', 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Metadata\n'),
      auditLogPath: join(directory, 'audit.log'),
    },
    new FakeClock(),
    silentLogger,
  )
  expect(settings?.policy.rules).toEqual([{ level: 'Metadata' }])
  await settings?.sink.close()
})
