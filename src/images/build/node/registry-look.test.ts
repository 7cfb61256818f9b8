import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { registriesOf, registrySettings, silentRegistries } from './registry-look.ts'

const usual = 'https://registry.npmjs.org'
let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sampan-look-'))
  vi.stubEnv('HOME', root)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(root, { recursive: true })
})

const settingsOf = (files: Record<string, string>, environment: NodeJS.ProcessEnv = {}) => {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text)
  return registrySettings(root, usual, { npm_config_userconfig: join(root, 'none'), ...environment })
}

describe('which registry is asked', () => {
  test.each<[string, Record<string, string>, NodeJS.ProcessEnv, Record<string, string>]>([
    ['none is said', {}, {}, { '': usual }],
    [
      '.npmrc says one, and one for a scope',
      { '.npmrc': 'registry = "http://a/"\n@acme:registry=https://${HOST}/npm\n//a/:_authToken=x\n' },
      { HOST: 'b' },
      { '': 'http://a/', '@acme': 'https://b/npm' },
    ],
    [
      'the environment says another',
      { '.npmrc': 'registry=http://a/' },
      { NPM_CONFIG_REGISTRY: 'http://c' },
      { '': 'http://c' },
    ],
    ['.yarnrc says one', { '.yarnrc': '# comment\nregistry "http://d"\n' }, {}, { '': 'http://d' }],
    [
      '.yarnrc.yml says one, and one for a scope',
      { '.yarnrc.yml': 'npmRegistryServer: http://e\nnpmScopes: { acme: { npmRegistryServer: "http://f" } }\n' },
      {},
      { '': 'http://e', '@acme': 'http://f' },
    ],
    [
      'pnpm-workspace.yaml says one',
      { 'pnpm-workspace.yaml': 'registries: { default: "http://g", "@acme": "http://h" }' },
      {},
      { '': 'http://g', '@acme': 'http://h' },
    ],
    ['a file is none', { '.yarnrc.yml': '{{' }, {}, { '': usual }],
  ])('when %s', (_when, files, environment, registries) => {
    expect(settingsOf(files, environment).registries).toEqual(registries)
  })

  test('is told by the lock file, where packages come from elsewhere', () => {
    const registries = { '': usual, '@acme': 'http://acme/', '@other': 'http://other' }
    const lock = [
      '"node_modules/@acme/a": { "resolved": "https://registry.npmjs.org/@acme/a.tgz",',
      '"node_modules/b": { "resolved": "http://files:81/b.tgz", "funding": { "url": "https://funds" }',
      "  resolution: {integrity: x, tarball: 'https://codeload.example/c'}",
    ].join('\n')
    expect(registriesOf(lock, { registries })).toEqual([
      usual,
      'http://acme',
      'http://files:81',
      'https://codeload.example',
    ])
  })
})

test.each<[string, Record<string, string>, NodeJS.ProcessEnv]>([
  ['.npmrc', { '.npmrc': 'fetch-retries=5' }, {}],
  ['.npmrc, how long it may take', { '.npmrc': 'fetch-retry-maxtimeout = 100' }, {}],
  ['the environment', {}, { npm_config_fetch_retries: '0' }],
  ['.yarnrc', { '.yarnrc': 'network-timeout 600000' }, {}],
  ['.yarnrc.yml', { '.yarnrc.yml': 'httpRetry: 9' }, {}],
  ['the environment of yarn', {}, { YARN_HTTP_TIMEOUT: '1' }],
])('how often to try may be said by %s', (_by, files, environment) => {
  expect(settingsOf(files, environment).saysPatience).toBe(true)
})

describe('registries that do not answer', () => {
  const lock = { text: '' }

  test('are named', async () => {
    settingsOf({ '.npmrc': 'registry=http://127.0.0.1:1/npm/' })
    expect(await silentRegistries(root, lock, usual)).toEqual(['http://127.0.0.1:1/npm'])
  })

  test('do not matter while a proxy or another place of packages does', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const there = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    try {
      settingsOf({ '.npmrc': `registry=http://127.0.0.1:1\nhttps-proxy=${there}` })
      expect(await silentRegistries(root, lock, usual)).toBeUndefined()
      settingsOf({ '.npmrc': 'registry=http://127.0.0.1:1' })
      expect(await silentRegistries(root, { text: `resolved "${there}/a.tgz"` }, usual)).toBeUndefined()
    } finally {
      server.close()
    }
  })

  test('are tried as long as a person says', async () => {
    settingsOf({ '.npmrc': 'registry=http://127.0.0.1:1\nfetch-retries=2' })
    expect(await silentRegistries(root, lock, usual)).toBeUndefined()
  })
})
