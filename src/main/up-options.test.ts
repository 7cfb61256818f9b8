import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startWords, upArguments, withAbsolutePaths } from './up-options.ts'

test('options become the words that they were', () => {
  expect(
    upArguments({
      name: 'sampan',
      apiPort: 0,
      oidcIssuerUrl: 'https://issuer.example',
      oidcRequiredClaim: ['team=a', 'role=b'],
      auditLogMaxsize: 100,
      store: undefined,
    }),
  ).toEqual(
    [
      ['--name', 'sampan'],
      ['--api-port', '0'],
      ['--oidc-issuer-url', 'https://issuer.example'],
      ['--oidc-required-claim', 'team=a'],
      ['--oidc-required-claim', 'role=b'],
      ['--audit-log-maxsize', '100'],
    ].flat(),
  )
})

test('what concerns one start alone is left out: a token is no secret in a file that all can read', () => {
  expect(upArguments({ name: 'a', join: 'token', joinFile: '/token', output: 'json', service: true })).toEqual([
    '--name',
    'a',
  ])
})

test('what a running cluster cannot take in is named as it was typed', () => {
  expect(startWords({ name: 'a', dataDir: '/data', output: 'json', apiPort: 0, tlsSan: ['b', 'c'] })).toEqual([
    '--api-port',
    '--tls-san',
  ])
})

test('paths are absolute, since the server works elsewhere', () => {
  expect(withAbsolutePaths({ name: 'a', dataDir: 'data', auditLogPath: './log', oidcCaFile: '/ca' })).toEqual({
    name: 'a',
    dataDir: join(process.cwd(), 'data'),
    auditLogPath: join(process.cwd(), 'log'),
    oidcCaFile: '/ca',
  })
})
