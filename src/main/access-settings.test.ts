import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { accessSettings, type AccessOptions } from './access-settings.ts'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sampan-access-'))
  writeFileSync(join(directory, 'bad.csv'), 'only-a-token\n')
})
afterAll(() => rmSync(directory, { recursive: true }))

test.each<[AccessOptions, string]>([
  [{ tokenAuthFile: '/nowhere/tokens.csv' }, '--token-auth-file: /nowhere/tokens.csv cannot be read'],
  [{ oidcIssuerUrl: 'https://a.example' }, '--oidc-issuer-url and --oidc-client-id must be given together'],
  [{ oidcGroupsClaim: 'groups' }, 'options that begin with --oidc need'],
  [
    { oidcIssuerUrl: 'http://a.example', oidcClientId: 'x' },
    'expected an address that begins with https://, found http://a.example',
  ],
  [{ oidcIssuerUrl: 'https://a.example', oidcClientId: 'x', oidcSigningAlgs: 'none' }, 'found none'],
  [
    { oidcIssuerUrl: 'https://a.example', oidcClientId: 'x', oidcRequiredClaim: ['x'] },
    'expected claim=value, found x',
  ],
])('%j: %s', (access, message) => {
  expect(() => accessSettings(access)).toThrow(message)
})

test('a file that is not one of tokens is told by its line, not by what stands in it', () => {
  expect(() => accessSettings({ tokenAuthFile: join(directory, 'bad.csv') })).toThrow(
    /line 1: expected at least token,user,uid, found 1 field$/,
  )
})

test('all settings of a provider', () => {
  const { oidc, staticTokens } = accessSettings({
    oidcIssuerUrl: 'https://a.example',
    oidcClientId: 'x',
    oidcRequiredClaim: ['a=b', 'c=d=e'],
    oidcSigningAlgs: 'RS256,ES256',
  })
  expect(oidc).toEqual({
    issuerUrl: 'https://a.example',
    clientId: 'x',
    requiredClaims: { a: 'b', c: 'd=e' },
    signingAlgorithms: ['RS256', 'ES256'],
  })
  expect(staticTokens).toBeUndefined()
})
