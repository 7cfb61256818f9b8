// Requests for certificates: who may decide, what is signed and what is refused, and when they are deleted.
import { webcrypto, X509Certificate } from 'node:crypto'
import 'reflect-metadata'
import { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } from '@peculiar/x509'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CertificateSigningRequest } from '../../src/api/generated/models.ts'
import { certificateSigningRequests, clusterRoleBindings, clusterRoles } from '../../src/api/resources.ts'
import { startControllers, type Running } from '../../src/control/controller.ts'
import { certificateApproving } from '../../src/controllers/certificate-approving/certificate-approving.ts'
import { certificateCleaner } from '../../src/controllers/certificate-cleaner/certificate-cleaner.ts'
import { certificateSigning } from '../../src/controllers/certificate-signing/certificate-signing.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { systemRandom } from '../../src/main/system.ts'
import { clusterSigner } from '../../src/server/auth/certificate-requests.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { startTestServer, type Answer, type TestServer } from '../../src/testing/in-process-server.ts'

const clock = new FakeClock(Date.now())
let server: TestServer
let running: Running
const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
let keyPem: string

beforeAll(async () => {
  server = await startTestServer({ clock })
  const signer = clusterSigner(server.keys.authority, () => clock.now())
  running = await startControllers([certificateApproving(signer), certificateSigning(signer), certificateCleaner], {
    client: server.local,
    clock,
    random: systemRandom,
    logger: silentLogger,
  })
  await server.local.create(clusterRoleBindings, {
    metadata: { name: 'bootstrappers' },
    roleRef: {
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'ClusterRole',
      name: 'system:certificates.k8s.io:certificatesigningrequests:nodeclient',
    },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:bootstrappers' }],
  })
  await server.local.create(clusterRoleBindings, {
    metadata: { name: 'bootstrap' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:node-bootstrapper' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:bootstrappers' }],
  })
})
afterAll(async () => {
  await running.stop()
  await server.close()
})

async function pkcs10(
  commonName: string,
  organizations: readonly string[] = [],
  names?: ConstructorParameters<typeof SubjectAlternativeNameExtension>[0],
): Promise<string> {
  const keys = (await webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
  keyPem = `-----BEGIN PRIVATE KEY-----\n${Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')}\n-----END PRIVATE KEY-----\n`
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [commonName] }, ...organizations.map(name => ({ O: [name] }))],
    keys: keys as never,
    signingAlgorithm: keyAlgorithm,
    ...(names !== undefined && { extensions: [new SubjectAlternativeNameExtension(names)] }),
  })
  return Buffer.from(`${request.toString('pem')}\n`).toString('base64')
}

const csrs = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
const client = ['client auth', 'digital signature', 'key encipherment']

async function ask(
  name: string,
  signer: string,
  request: string,
  usages = client,
  headers: Record<string, string> = {},
  spec: object = {},
): Promise<Answer> {
  return server.call('POST', csrs, {
    body: { metadata: { name }, spec: { signerName: `kubernetes.io/${signer}`, request, usages, ...spec } },
    headers,
  })
}

async function approve(name: string, headers: Record<string, string> = {}, type = 'Approved'): Promise<Answer> {
  const { json } = await server.call('GET', `${csrs}/${name}`)
  return server.call('PUT', `${csrs}/${name}/approval`, {
    body: { ...json, status: { conditions: [{ type, status: 'True', reason: 'Test' }] } },
    headers,
  })
}

const shown = (name: string): CertificateSigningRequest | undefined =>
  server.local.informer(certificateSigningRequests).get({ name })
const issued = async (name: string): Promise<X509Certificate> =>
  new X509Certificate(Buffer.from(await eventually(`${name} issued`, () => shown(name)?.status?.certificate), 'base64'))
const failure = (name: string): Promise<string | undefined> =>
  eventually(`${name} failed`, () => shown(name)?.status?.conditions?.find(({ type }) => type === 'Failed')?.message)

describe('a client certificate', () => {
  test('is issued when it is approved, and comes in', async () => {
    const made = await ask(
      'jane',
      'kube-apiserver-client',
      await pkcs10('jane', ['devs']),
      client,
      {},
      { expirationSeconds: 3600 },
    )
    expect(made.status).toBe(201)
    expect(made.headers['warning']).toBeUndefined()
    expect((await approve('jane')).status).toBe(200)
    const certificate = await issued('jane')
    expect(Date.parse(certificate.validTo) - clock.now()).toBeGreaterThan(3_590_000)
    expect(certificate.ca).toBe(false)
    const { json } = await server.call('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      body: {},
      certificate: { certificate: certificate.toString(), key: keyPem },
    })
    expect(json.status.userInfo).toMatchObject({ username: 'jane', groups: ['devs', 'system:authenticated'] })
    const condition = shown('jane')?.status?.conditions?.[0]
    expect([condition?.lastUpdateTime, condition?.lastTransitionTime].every(Boolean)).toBe(true)
  })

  test('is not for system:masters', async () => {
    expect((await ask('boss', 'kube-apiserver-client', await pkcs10('boss', ['system:masters']))).json.message).toBe(
      'certificatesigningrequests.certificates.k8s.io "boss" is forbidden: use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
    )
    expect(
      (
        await ask(
          'junk',
          'kube-apiserver-client',
          Buffer.from('-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n').toString(
            'base64',
          ),
        )
      ).status,
    ).toBe(403)
  })

  test('is not issued when it is denied', async () => {
    await ask('denied', 'kube-apiserver-client', await pkcs10('denied'))
    expect((await approve('denied', {}, 'Denied')).status).toBe(200)
    expect(shown('denied')?.status?.certificate).toBeUndefined()
    expect((await approve('denied')).status).toBe(422)
  })
})

test.each<[string, string, string[], readonly string[], string]>([
  ['server-usage', 'kube-apiserver-client', ['server auth'], [], 'invalid usage for client certificate: server auth'],
  [
    'no-client',
    'kube-apiserver-client',
    ['digital signature'],
    [],
    'missing required usage for client certificate: client auth',
  ],
  ['no-node', 'kube-apiserver-client-kubelet', client, [], 'subject organization is not system:nodes'],
  [
    'no-names',
    'kubelet-serving',
    ['digital signature', 'server auth'],
    ['system:nodes'],
    'DNS or IP subjectAltName is required',
  ],
])('%s fails: %s %j %j', async (name, signer, usages, organizations, message) => {
  await ask(name, signer, await pkcs10('system:node:n1', organizations), usages)
  await approve(name)
  expect(await failure(name)).toBe(message)
  expect(shown(name)?.status?.conditions?.find(({ type }) => type === 'Failed')).toMatchObject({
    status: 'True',
    reason: 'SignerValidationFailure',
  })
})

describe('a node', () => {
  test('gets its first certificate by a role of bootstrap tokens, and the next by its own', async () => {
    const bootstrapping = { 'Impersonate-User': 'system:bootstrap:abcdef', 'Impersonate-Group': 'system:bootstrappers' }
    await ask(
      'first',
      'kube-apiserver-client-kubelet',
      await pkcs10('system:node:n1', ['system:nodes']),
      client,
      bootstrapping,
    )
    expect((await issued('first')).subject).toContain('CN=system:node:n1')
    expect(shown('first')?.status?.conditions?.[0]).toMatchObject({
      type: 'Approved',
      reason: 'AutoApproved',
      message: 'Auto approving kubelet client certificate after SubjectAccessReview.',
    })
    const itself = { 'Impersonate-User': 'system:node:n1', 'Impersonate-Group': 'system:nodes' }
    await server.local.create(clusterRoleBindings, {
      metadata: { name: 'renewal' },
      roleRef: {
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'ClusterRole',
        name: 'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient',
      },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:nodes' }],
    })
    await ask(
      'second',
      'kube-apiserver-client-kubelet',
      await pkcs10('system:node:n1', ['system:nodes']),
      ['client auth', 'digital signature'],
      itself,
    )
    await issued('second')
    expect(shown('second')?.status?.conditions?.[0]?.message).toBe(
      'Auto approving self kubelet client certificate after SubjectAccessReview.',
    )
    await ask(
      'other',
      'kube-apiserver-client-kubelet',
      await pkcs10('system:node:n2', ['system:nodes']),
      client,
      itself,
    )
    await ask(
      'third',
      'kube-apiserver-client-kubelet',
      await pkcs10('system:node:n1', ['system:nodes']),
      client,
      itself,
    )
    await issued('third')
    expect(shown('other')?.status?.conditions ?? []).toEqual([])
  })

  test('gets a serving certificate with its names when somebody approves it', async () => {
    await ask(
      'serving',
      'kubelet-serving',
      await pkcs10(
        'system:node:n1',
        ['system:nodes'],
        [
          { type: 'dns', value: 'n1.example' },
          { type: 'ip', value: '10.0.0.1' },
        ],
      ),
      ['digital signature', 'key encipherment', 'server auth'],
    )
    await approve('serving')
    expect((await issued('serving')).subjectAltName).toBe('DNS:n1.example, IP Address:10.0.0.1')
  })
})

describe('the right to approve and to sign', () => {
  test('is given for signers', async () => {
    const rule = (resources: string[], verbs: string[], resourceNames?: string[]): object => ({
      apiGroups: ['certificates.k8s.io'],
      resources,
      verbs,
      ...(resourceNames && { resourceNames }),
    })
    await server.local.create(clusterRoles, {
      metadata: { name: 'clerk' },
      rules: [
        rule(
          ['certificatesigningrequests', 'certificatesigningrequests/approval', 'certificatesigningrequests/status'],
          ['get', 'create', 'update'],
        ),
        rule(['signers'], ['approve', 'sign'], ['example.com/*']),
      ],
    } as never)
    await server.local.create(clusterRoleBindings, {
      metadata: { name: 'clerk' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'clerk' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'clerk' }],
    })
    const clerk = { 'Impersonate-User': 'clerk' }
    await ask('held', 'kube-apiserver-client', await pkcs10('held'))
    expect((await approve('held', clerk)).json.message).toBe(
      'certificatesigningrequests.certificates.k8s.io "held" is forbidden: user not permitted to approve requests with signerName "kubernetes.io/kube-apiserver-client"',
    )
    const status = await server.call('PUT', `${csrs}/held/status`, {
      body: {
        ...shown('held'),
        status: { certificate: Buffer.from(server.keys.admin.certificate).toString('base64') },
      },
      headers: clerk,
    })
    expect(status.json.message).toContain(
      'user not permitted to sign requests with signerName "kubernetes.io/kube-apiserver-client"',
    )
    await server.call('POST', csrs, {
      body: {
        metadata: { name: 'own' },
        spec: { signerName: 'example.com/one', request: await pkcs10('own'), usages: client },
      },
    })
    expect((await approve('own', clerk)).status).toBe(200)
    expect(shown('own')?.status?.certificate).toBeUndefined()
  })
})

test('requests are deleted when they are over', async () => {
  await ask('waiting', 'kube-apiserver-client', await pkcs10('waiting'))
  await ask('refused', 'kube-apiserver-client', await pkcs10('refused'))
  await approve('refused', {}, 'Denied')
  await clock.advance(3_700_000)
  await eventually('refused gone', () => shown('refused') === undefined)
  expect(shown('waiting')).toBeDefined()
  await clock.advance(24 * 3_600_000)
  await eventually('waiting gone', () => shown('waiting') === undefined)
})
