import { afterAll, beforeAll, expect, test } from 'vitest'
import { machineClock } from '../../host/machine-clock.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { startWebhookServer, type WebhookHandler, type WebhookServer } from '../../testing/webhook-server.ts'
import { createAuthority, signCertificate, type KeyPairPem } from '../auth/certificate-authority.ts'
import { webhookCaller, type WebhookCaller, type WebhookClientConfig } from './webhook-caller.ts'

let authority: KeyPairPem
let server: WebhookServer
let caller: WebhookCaller
let handle: WebhookHandler = () => ({})

beforeAll(async () => {
  const nowMs = Date.now()
  authority = await createAuthority('webhooks', 1, nowMs)
  const serving = await signCertificate(
    authority,
    { commonName: 'hook', usage: 'server', days: 1, dnsNames: ['hook.ns.svc'] },
    nowMs,
  )
  server = await startWebhookServer(serving, (call, response) => handle(call, response))
  caller = webhookCaller((namespace, name) => {
    if (name === 'none') throw new Error('service "none" not found')
    return { host: '127.0.0.1', port: server.port }
  }, machineClock)
})
afterAll(async () => {
  caller.close()
  await server.close()
})

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const config = (name = 'hook', more: Partial<WebhookClientConfig> = {}): WebhookClientConfig => ({
  service: { namespace: 'ns', name, path: '/x' },
  caBundle: base64(authority.certificate),
  ...more,
})
const faultOf = async (clientConfig: WebhookClientConfig, timeoutMs = 20_000): Promise<string> => {
  try {
    await caller.call(clientConfig, {}, { timeoutMs })
  } catch (error) {
    expect((error as Error).name).toBe('WebhookFault')
    return (error as Error).message
  }
  throw new Error('no fault')
}

test('posts JSON to a service under its name, over one kept connection', async () => {
  const sockets = new Set<unknown>()
  handle = ({ request, body }) => {
    sockets.add(request.socket)
    return { host: request.headers.host, url: request.url, body: JSON.parse(body) as unknown }
  }
  const call = (): Promise<unknown> => caller.call(config(), { a: 1 }, { timeoutMs: 20_000, announcesTimeout: true })
  expect(await call()).toEqual({ host: 'hook.ns.svc', url: '/x?timeout=20s', body: { a: 1 } })
  await call()
  expect(sockets.size).toBe(1)
})

test('a connection that the webhook closed meanwhile is replaced', async () => {
  handle = ({ request }) => {
    const { socket } = request
    setImmediate(() => socket.destroySoon())
    return {}
  }
  for (let round = 0; round < 10; round++) expect(await caller.call(config(), {}, { timeoutMs: 20_000 })).toEqual({})
})

test('says what went wrong in the words of Kubernetes', async () => {
  expect(await faultOf(config('none'))).toBe('Post "https://none.ns.svc:443/x": service "none" not found')
  expect(await faultOf(config('other'))).toBe(
    'Post "https://other.ns.svc:443/x": tls: failed to verify certificate: x509: certificate is valid for hook.ns.svc, not other.ns.svc',
  )
  const { caBundle: _own, ...publicly } = config()
  expect(await faultOf(publicly)).toBe(
    'Post "https://hook.ns.svc:443/x": tls: failed to verify certificate: x509: certificate signed by unknown authority',
  )
  expect(await faultOf({ url: 'https://127.0.0.1:1/y' })).toBe(
    'Post "https://127.0.0.1:1/y": dial tcp 127.0.0.1:1: connect: connection refused',
  )
})

test.each<[string, WebhookHandler, string]>([
  ['garbage', (_call, response) => void response.end('<html>'), "couldn't get version/kind; json parse error: "],
  ['nothing', (_call, response) => void response.end(), "couldn't get version/kind; json parse error: "],
  [
    'a fault',
    (_call, response) => void response.writeHead(500).end('oops'),
    'an error on the server ("oops") has prevented the request from succeeding',
  ],
  [
    'not found',
    (_call, response) => void response.writeHead(404).end(),
    'the server could not find the requested resource',
  ],
  [
    'too much',
    (_call, response) => void response.end(Buffer.alloc(4 * 1024 * 1024)),
    'the response body is larger than 3145728 bytes',
  ],
  [
    'half of it',
    ({ request }, response) => {
      response.writeHead(200, { 'Content-Length': '100' })
      response.write('{', () => request.socket.destroy())
    },
    'Post "https://hook.ns.svc:443/x": ',
  ],
  ['hanging up', ({ request }) => void request.socket.destroy(), 'Post "https://hook.ns.svc:443/x": '],
  ['no HTTP', ({ request }) => void request.socket.end('hello\r\n\r\n'), 'Post "https://hook.ns.svc:443/x": '],
])('an answer that is none: %s', async (_name, answer, expected) => {
  handle = answer
  const fault = await faultOf(config())
  expect(fault.startsWith(expected), fault).toBe(true)
})

test('does not wait longer than it may', async () => {
  const clock = new FakeClock()
  const impatient = webhookCaller(() => ({ host: '127.0.0.1', port: server.port }), clock)
  handle = () => void clock.advance(1000)
  await expect(impatient.call(config(), {}, { timeoutMs: 1000 })).rejects.toThrow(
    'Post "https://hook.ns.svc:443/x": context deadline exceeded',
  )
  impatient.close()
})
