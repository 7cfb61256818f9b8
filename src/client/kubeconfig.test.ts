import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import {
  clusterAccess,
  ensureContext,
  KubeconfigError,
  kubeconfigPaths,
  readKubeconfig,
  removeContext,
  rememberedCluster,
  renewCredentials,
  writeContext,
  type KubeconfigFile,
} from './kubeconfig.ts'

const root = mkdtempSync(join(tmpdir(), 'sampan-kubeconfig-'))
afterAll(() => rmSync(root, { recursive: true }))

let path = ''
beforeEach(() => {
  path = join(mkdtempSync(join(root, 'home-')), '.kube', 'config')
})

const foreign: KubeconfigFile = {
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'work',
  preferences: { colors: true },
  clusters: [{ name: 'work', cluster: { server: 'https://work:6443', 'insecure-skip-tls-verify': true } }],
  users: [{ name: 'me', user: { token: 'secret' } }],
  contexts: [{ name: 'work', context: { cluster: 'work', user: 'me', namespace: 'team' } }],
  extensions: [{ name: 'kept' }],
}
const ours = {
  name: 'sampan',
  server: 'https://127.0.0.1:6443',
  dataDirectory: '/srv/data',
  authority: 'CA',
  certificate: 'CERT',
  key: 'KEY',
}
const put = (file: string, content: KubeconfigFile): string => {
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, stringify(content))
  return file
}
const now = (): KubeconfigFile => parse(readFileSync(path, 'utf8')) as KubeconfigFile

describe('a written context', () => {
  test('is chosen, or leaves the choice as it is', () => {
    put(path, foreign)
    writeContext(path, ours, 'keep')
    expect(now()['current-context']).toBe('work')
    writeContext(path, ours)
    expect(now()['current-context']).toBe('sampan')
  })

  test('is chosen where there is no choice yet', () => {
    writeContext(path, ours, 'keep')
    expect(now()['current-context']).toBe('sampan')
  })

  test('makes the file, readable by its owner alone', () => {
    writeContext(path, ours)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700)
    expect(clusterAccess([path])).toEqual({
      context: 'sampan',
      server: ours.server,
      namespace: 'default',
      authority: 'CA',
      certificate: 'CERT',
      key: 'KEY',
      skipVerification: false,
      startedHere: { name: 'sampan', dataDirectory: '/srv/data' },
    })
  })

  test('keeps everything else, and becomes the current one', () => {
    put(path, foreign)
    chmodSync(path, 0o644)
    writeContext(path, ours)
    const { clusters, users, contexts, ...rest } = now()
    expect(rest).toEqual({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'sampan',
      preferences: { colors: true },
      extensions: [{ name: 'kept' }],
    })
    expect([clusters![0], users![0], contexts![0]]).toEqual([
      foreign.clusters![0],
      foreign.users![0],
      foreign.contexts![0],
    ])
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('keeps as text what would be something else to kubectl', () => {
    const words = [
      'on',
      'no',
      'yes',
      'off',
      'y',
      'true',
      '0x10',
      '012',
      '1_000',
      '12:30',
      '2020-01-01',
      '1e3',
      '~',
      '=',
      '<<',
    ]
    put(path, { users: words.map(name => ({ name, user: {} })) })
    writeContext(path, ours)
    const names = readKubeconfig(path).users!.map(({ name }) => name)
    expect(names).toEqual([...words, 'sampan'])
    const read = parse(readFileSync(path, 'utf8'), { version: '1.1' }) as KubeconfigFile
    expect(read.users!.map(({ name }) => name)).toEqual([...words, 'sampan'])
  })

  test('gets another certificate, and nothing else changes', () => {
    writeContext(path, ours)
    put(path, { ...now(), 'current-context': 'work' })
    renewCredentials(path, 'sampan', { certificate: 'NEW', key: 'NEW KEY' })
    expect(clusterAccess([path], 'sampan')).toMatchObject({ certificate: 'NEW', key: 'NEW KEY', server: ours.server })
    expect(now()['current-context']).toBe('work')
    renewCredentials(path, 'other', { certificate: 'NEW', key: 'NEW KEY' })
    expect(now().users).toHaveLength(1)
  })

  test('replaces itself', () => {
    writeContext(path, ours)
    writeContext(path, { ...ours, server: 'https://127.0.0.1:7000' })
    expect(now().clusters).toHaveLength(1)
    expect(clusterAccess([path]).server).toBe('https://127.0.0.1:7000')
  })

  test('keeps what somebody put into it: a namespace, another user, more', () => {
    writeContext(path, ours)
    const own = { cluster: 'sampan', user: 'developer', namespace: 'shop', extensions: [{ name: 'mine' }] }
    put(path, {
      ...now(),
      users: [...now().users!, { name: 'developer', user: { token: 'secret' } }],
      contexts: [{ name: 'sampan', context: own }],
    })
    writeContext(path, ours)
    expect(now().contexts).toEqual([{ name: 'sampan', context: own }])
    put(path, { ...now(), users: [] })
    writeContext(path, ours)
    expect(now().contexts).toEqual([{ name: 'sampan', context: { ...own, user: 'sampan' } }])
  })

  test('does not keep one that leads to another cluster', () => {
    const context = { cluster: 'work', user: 'me', namespace: 'team' }
    put(path, { ...foreign, contexts: [{ name: 'sampan', context }] })
    writeContext(path, ours)
    expect(now().contexts).toEqual([{ name: 'sampan', context: { cluster: 'sampan', user: 'sampan' } }])
  })

  test('leaves a link a link', () => {
    const real = put(join(root, 'dotfiles', 'config'), foreign)
    mkdirSync(join(path, '..'))
    symlinkSync(real, path)
    writeContext(path, ours)
    expect(lstatSync(path).isSymbolicLink()).toBe(true)
    expect(readKubeconfig(real)['current-context']).toBe('sampan')
  })

  test('is not written over a file that is no kubeconfig', () => {
    mkdirSync(join(path, '..'))
    for (const text of ['just text', '- a list', '{ broken']) {
      writeFileSync(path, text)
      expect(() => writeContext(path, ours)).toThrow(KubeconfigError)
      expect(readFileSync(path, 'utf8')).toBe(text)
    }
  })
})

describe('for a cluster that runs already', () => {
  test('a context is written where it is missing, and chosen', () => {
    put(path, foreign)
    ensureContext(path, ours)
    expect(now()['current-context']).toBe('sampan')
    expect(clusterAccess([path])).toMatchObject({ server: ours.server, certificate: 'CERT' })
  })

  test('one that is there gets its certificate, and the port where the cluster is now', () => {
    writeContext(path, { ...ours, server: 'https://127.0.0.1:7000', certificate: 'OLD' })
    put(path, { ...now(), 'current-context': 'work' })
    ensureContext(path, ours)
    expect(clusterAccess([path], 'sampan')).toMatchObject({ server: ours.server, certificate: 'CERT' })
    expect(now()['current-context']).toBe('work')
    const before = readFileSync(path, 'utf8')
    ensureContext(path, ours)
    expect(readFileSync(path, 'utf8')).toBe(before)
  })

  test('another address of it that somebody chose stays', () => {
    writeContext(path, { ...ours, server: 'https://192.0.2.1:6443' })
    ensureContext(path, { ...ours, certificate: 'NEW' })
    expect(clusterAccess([path])).toMatchObject({ server: 'https://192.0.2.1:6443', certificate: 'NEW' })
  })
})

describe('where a cluster keeps its data', () => {
  test('is remembered, also when the context has another name now', () => {
    put(path, foreign)
    writeContext(path, ours)
    expect(rememberedCluster([path], 'sampan')).toEqual({ name: 'sampan', dataDirectory: '/srv/data' })
    const contexts = now().contexts!.map(entry => (entry.name === 'sampan' ? { ...entry, name: 'mine' } : entry))
    put(path, { ...now(), contexts })
    expect(rememberedCluster([path], 'mine')).toEqual({ name: 'sampan', dataDirectory: '/srv/data' })
    expect(rememberedCluster([path], 'work')).toEqual({ name: 'work', dataDirectory: undefined })
    expect(rememberedCluster([path], 'other')).toBeUndefined()
  })

  test('is written where an earlier version did not, beside what other programs wrote', () => {
    writeContext(path, ours)
    const theirs = { name: 'theirs', extension: { kept: true } }
    const [{ name, cluster }] = now().clusters as [NonNullable<KubeconfigFile['clusters']>[number]]
    put(path, { ...now(), clusters: [{ name, cluster: { ...cluster, extensions: [theirs] } }] })
    ensureContext(path, ours)
    expect(rememberedCluster([path], 'sampan')?.dataDirectory).toBe('/srv/data')
    expect(now().clusters![0]!.cluster['extensions']).toContainEqual(theirs)
  })

  test('is not known of a kubeconfig that cannot be read', () => {
    put(path, foreign)
    writeFileSync(path, ': [')
    expect(rememberedCluster([path], 'work')).toBeUndefined()
  })
})

describe('a removed context', () => {
  test('leaves the file as it was, with another context chosen', () => {
    put(path, foreign)
    writeContext(path, ours)
    removeContext(path, 'sampan')
    expect(now()).toEqual(foreign)
  })

  test('that was the only one leaves none chosen', () => {
    writeContext(path, ours)
    removeContext(path, 'sampan')
    expect(now()).toMatchObject({ 'current-context': '', contexts: [] })
  })

  test('that is not there changes nothing, nor makes a file', () => {
    removeContext(path, 'sampan')
    expect(readKubeconfig(path)).toEqual({})
    put(path, foreign)
    const before = readFileSync(path, 'utf8')
    removeContext(path, 'sampan')
    expect(readFileSync(path, 'utf8')).toBe(before)
  })
})

test.each([
  ['KUBECONFIG lists several', { KUBECONFIG: '/a:/b::', HOME: '/root' }, ['/a', '/b']],
  ['KUBECONFIG is empty', { KUBECONFIG: '', HOME: '/root' }, ['/root/.kube/config']],
  ['there is none', { HOME: '/home/me' }, ['/home/me/.kube/config']],
])('%s', (_what, environment, paths) => {
  expect(kubeconfigPaths(environment)).toEqual(paths)
})

describe('a user whose credentials a program tells', () => {
  const withUser = (user: Record<string, unknown>): string => put(path, { ...foreign, users: [{ name: 'me', user }] })
  const program = (script: string): string => {
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(join(path, '..', 'login'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    return './login'
  }
  const exec = (script: string, more: object = {}) =>
    withUser({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command: program(script), ...more } })

  test('is who the program says, which gets arguments, variables and what is asked', () => {
    const env = [{ name: 'PROFILE', value: 'prod' }]
    exec(`echo "$KUBERNETES_EXEC_INFO" > "$0.asked"; echo '{"status":{"token":"'$1-$PROFILE'"}}'`, {
      args: ['get'],
      env,
      provideClusterInfo: true,
      interactiveMode: 'Never',
    })
    expect(clusterAccess([path])).toMatchObject({ token: 'get-prod' })
    expect(JSON.parse(readFileSync(join(path, '..', 'login.asked'), 'utf8'))).toEqual({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      spec: { interactive: false, cluster: foreign.clusters![0]!.cluster },
    })
  })

  test('may have a certificate', () => {
    exec(`echo '{"status":{"clientCertificateData":"CERT","clientKeyData":"KEY"}}'`)
    expect(clusterAccess([path])).toMatchObject({ certificate: 'CERT', key: 'KEY' })
  })

  test.each([
    ['exit 3', /the user "me" in .* was not told: .*login failed \(exit code 3\)/],
    ['echo no', /expected an ExecCredential with a token or a certificate from .*login, got something else/],
    [`echo '{"status":{}}'`, /expected an ExecCredential/],
  ])('is nobody after %s', (script, complaint) => {
    exec(script)
    expect(() => clusterAccess([path])).toThrow(complaint)
  })

  test('is nobody without the program, which the kubeconfig tells how to get', () => {
    withUser({ exec: { apiVersion: 'v1', command: 'no-such-program', installHint: 'Get it from example.org' } })
    expect(() => clusterAccess([path])).toThrow(/no-such-program cannot be started: .*ENOENT\nGet it from example\.org/)
  })

  test('is not taken for somebody else', () => {
    withUser({ token: 'secret', as: 'developer' })
    expect(() => clusterAccess([path])).toThrow(
      /the user "me" in .* has "as"; expected a certificate, a token or "exec"/,
    )
  })
})

describe('several files', () => {
  test('the first one that names a thing wins, and files named in one are found beside it', () => {
    const first = put(join(root, 'first', 'config'), {
      'current-context': 'mixed',
      users: [{ name: 'me', user: { token: 'first', 'client-certificate': 'me.crt' } }],
    })
    writeFileSync(join(root, 'first', 'me.crt'), 'CERT OF FIRST')
    const second = put(join(root, 'second', 'config'), {
      'current-context': 'other',
      users: [{ name: 'me', user: { token: 'second' } }],
      clusters: [{ name: 'c', cluster: { server: 'https://c', 'certificate-authority': 'ca.crt' } }],
      contexts: [{ name: 'mixed', context: { cluster: 'c', user: 'me', namespace: 'n' } }],
    })
    writeFileSync(join(root, 'second', 'ca.crt'), 'CA OF SECOND')
    expect(clusterAccess([first, second, join(root, 'missing')])).toEqual({
      context: 'mixed',
      server: 'https://c',
      namespace: 'n',
      authority: 'CA OF SECOND',
      certificate: 'CERT OF FIRST',
      token: 'first',
      skipVerification: false,
    })
  })

  test('a token may stand in a file', () => {
    put(path, { ...foreign, users: [{ name: 'me', user: { tokenFile: 'token' } }] })
    writeFileSync(join(path, '..', 'token'), 'from a file\n')
    expect(clusterAccess([path])).toMatchObject({ token: 'from a file', skipVerification: true })
  })
})

describe('what is wrong with a kubeconfig is one sentence', () => {
  test.each<[string, KubeconfigFile, string | undefined, RegExp]>([
    [
      'nothing is chosen',
      {},
      undefined,
      /^no context is chosen in .*; start a cluster with `sampan up` or name a context with --context$/,
    ],
    ['an unknown context', foreign, 'home', /^there is no context "home" in .*; there is work$/],
    [
      'a context without a cluster',
      { ...foreign, clusters: [] },
      undefined,
      /^the context "work" names the cluster "work", which has no server in /,
    ],
    [
      'a certificate that is not there',
      { ...foreign, users: [{ name: 'me', user: { 'client-certificate': 'gone.crt' } }] },
      undefined,
      /names a client-certificate that cannot be read: ENOENT/,
    ],
  ])('%s', (_what, file, context, message) => {
    put(path, file)
    expect(() => clusterAccess([path], context)).toThrow(KubeconfigError)
    expect(() => clusterAccess([path], context)).toThrow(message)
  })
})
