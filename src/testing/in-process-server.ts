// A whole API server in the test's own process, over the store in memory (or the one given), reached over
// HTTPS on loopback and through a local client.
import { Agent, request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'
import { allKinds } from '../api/kinds/all.ts'
import type { AuditPolicy } from '../api/audit-policy.ts'
import type { Clock } from '../lib/clock.ts'
import { silentLogger, type Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import { machineClock } from '../host/machine-clock.ts'
import { HttpClient } from '../client/http-client.ts'
import { LocalClient } from '../main/local-client.ts'
import { systemRandom } from '../main/system.ts'
import { frontProxyName, type FrontProxy } from '../server/aggregation/front-proxy.ts'
import { createApiServer, type ApiServer } from '../server/api-server.ts'
import {
  createAuthority,
  generateSigningKey,
  signCertificate,
  type KeyPairPem,
} from '../server/auth/certificate-authority.ts'
import type { LineSink } from '../host/line-file.ts'
import type { OidcSettings } from '../server/auth/oidc.ts'
import type { StaticTokens } from '../server/auth/static-tokens.ts'
import { peerServerName, type FindPeer } from '../server/outgoing/peers.ts'
import type { ServiceResolver } from '../server/outgoing/resolve-service.ts'
import type { FindNodeStreams } from '../server/subresources/pod-streams.ts'
import type { Reach } from '../server/subresources/proxy.ts'
import { MemoryStore } from '../store/memory-store.ts'
import type { Store } from '../store/store.ts'

export interface TestServer {
  readonly server: ApiServer
  readonly port: number
  /** As system:masters, in process. */
  readonly local: LocalClient
  /** In process as somebody else. */
  as(username: string, groups?: readonly string[]): LocalClient
  /** The same over HTTPS with the admin's certificate. */
  readonly remote: HttpClient
  readonly keys: TestKeys
  call(method: string, path: string, options?: CallOptions): Promise<Answer>
  close(): Promise<void>
}

export interface TestKeys {
  readonly authority: KeyPairPem
  readonly serving: KeyPairPem
  readonly admin: KeyPairPem
  readonly frontProxy: FrontProxy
}

export interface CallOptions {
  readonly body?: unknown
  readonly headers?: Record<string, string>
  /** Without the admin's certificate. */
  readonly anonymous?: boolean
  /** A client certificate instead of the admin's. */
  readonly certificate?: KeyPairPem
}

export interface Answer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly text: string
  /** The body as JSON; undefined when it is not. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  readonly json: any
}

export interface TestServerOptions {
  readonly store?: Store
  readonly clock?: Clock
  readonly random?: Random
  readonly logger?: Logger
  readonly findNodeStreams?: FindNodeStreams
  readonly findPeer?: FindPeer
  readonly resolveService?: ServiceResolver
  readonly reach?: Reach
  readonly staticTokens?: StaticTokens
  readonly oidc?: OidcSettings
  readonly audit?: { readonly policy: AuditPolicy; readonly sink: LineSink }
}

let sharedKeys: Promise<TestKeys & { tokenKey: string }> | undefined

/** The keys that every server of a test run uses. */
export const testKeys = (): Promise<TestKeys & { tokenKey: string }> => (sharedKeys ??= makeKeys())

async function makeKeys(): Promise<TestKeys & { tokenKey: string }> {
  const nowMs = Date.now()
  const authority = await createAuthority('test-ca', 2, nowMs)
  const frontAuthority = await createAuthority('test-front-proxy-ca', 2, nowMs)
  const [serving, admin, frontClient, tokenKey] = await Promise.all([
    signCertificate(
      authority,
      {
        commonName: 'kube-apiserver',
        usage: 'server',
        days: 1,
        dnsNames: ['localhost', peerServerName],
        addresses: ['127.0.0.1'],
      },
      nowMs,
    ),
    signCertificate(
      authority,
      { commonName: 'kubernetes-admin', organizations: ['system:masters'], usage: 'client', days: 1 },
      nowMs,
    ),
    signCertificate(frontAuthority, { commonName: frontProxyName, usage: 'client', days: 1 }, nowMs),
    generateSigningKey(),
  ])
  return {
    authority,
    serving,
    admin,
    frontProxy: { authority: frontAuthority.certificate, client: frontClient, clientAuthority: authority.certificate },
    tokenKey,
  }
}

export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { clock = machineClock, random = systemRandom, logger = silentLogger } = options
  const keys = await testKeys()
  const store = options.store ?? new MemoryStore()
  const server = await createApiServer({
    store,
    kinds: allKinds,
    serviceCidr: '10.43.0.0/16',
    tokenKey: keys.tokenKey,
    tokenIssuer: 'https://kubernetes.default.svc.cluster.local',
    findNodeStreams: options.findNodeStreams ?? (() => undefined),
    clock,
    random,
    logger,
    frontProxy: keys.frontProxy,
    ...(options.staticTokens !== undefined && { staticTokens: options.staticTokens }),
    ...(options.audit !== undefined && { audit: options.audit }),
    ...(options.oidc !== undefined && { oidc: options.oidc }),
    ...(options.findPeer !== undefined && { findPeer: options.findPeer }),
    ...(options.reach !== undefined && { reach: options.reach }),
    ...(options.resolveService !== undefined && { resolveService: options.resolveService }),
  })
  const port = await server.listen({
    serving: keys.serving,
    clientAuthority: keys.authority.certificate,
    host: '127.0.0.1',
    port: 0,
  })
  const access = {
    context: 'test',
    server: `https://127.0.0.1:${port}`,
    namespace: 'default',
    authority: keys.authority.certificate,
    certificate: keys.admin.certificate,
    key: keys.admin.key,
    skipVerification: false,
  }
  const agent = new Agent({ keepAlive: true })
  const remote = new HttpClient({ access, userAgent: 'sampan-test', clock })
  return {
    server,
    port,
    keys,
    remote,
    as: (username, groups = []) =>
      new LocalClient(server.context, {
        user: { username, groups: [...groups, 'system:authenticated'] },
        fieldManager: 'test',
      }),
    local: new LocalClient(server.context, {
      user: { username: 'test', groups: ['system:masters', 'system:authenticated'] },
      fieldManager: 'test',
    }),
    call: (method, path, callOptions = {}) => call({ port, keys, agent }, method, path, callOptions),
    close: async () => {
      remote.close()
      agent.destroy()
      await server.close()
      await store.close()
    },
  }
}

function call(
  { port, keys, agent }: { port: number; keys: TestKeys; agent: Agent },
  method: string,
  path: string,
  { body, headers = {}, anonymous = false, certificate = keys.admin }: CallOptions,
): Promise<Answer> {
  const bytes =
    body === undefined
      ? undefined
      : typeof body === 'string' || body instanceof Uint8Array
        ? Buffer.from(body)
        : Buffer.from(JSON.stringify(body))
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        ca: keys.authority.certificate,
        agent,
        ...(!anonymous && { cert: certificate.certificate, key: certificate.key }),
        headers: {
          ...(bytes !== undefined && { 'Content-Type': 'application/json', 'Content-Length': bytes.length }),
          ...headers,
        },
      },
      response => {
        text(response).then(
          content =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              text: content,
              json: parsed(content),
            }),
          reject,
        )
      },
    )
    request.once('error', reject)
    request.end(bytes)
  })
}

function parsed(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch {
    return undefined
  }
}
