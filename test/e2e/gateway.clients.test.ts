// Certificates of clients, as somebody meets them who has none and wants in, and as services are told of them. Clients are
// Node.js and openssl.
import { createHash, X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { reasonToSkipCluster } from '../../src/testing/cluster-fixture.ts'
import { echoOf, type Asked } from '../../src/testing/gateway-asker.ts'
import { testAuthority, type CertificateData, type TestAuthority } from '../../src/testing/gateway-certificates.ts'
import type { Place } from '../../src/testing/gateway-client.ts'
import { GatewayFixture } from '../../src/testing/gateway-fixture.ts'
import {
  gateway,
  home,
  httpRoute,
  httpsListener,
  rule,
  secret,
  type TestObject,
} from '../../src/testing/gateway-manifests.ts'

const reason = reasonToSkipCluster()

const configMap = (name: string, certificate: string): TestObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: home },
  data: { 'ca.crt': certificate },
})

const asking = (mode = 'AllowValidOnly', name = 'authority'): object => ({
  validation: { mode, caCertificateRefs: [{ group: '', kind: 'ConfigMap', name }] },
})

/** That a service may be told of a client, in all ways in which it may be read. */
const told = ['x-forwarded-client-verify', 'x-forwarded-client-cert', 'client-cert', 'client-cert-chain']
const lies = Object.fromEntries(
  ['X-Forwarded-Client_Cert', 'X_Forwarded_Client_Cert', 'Client_Cert', 'Client-Cert_Chain', ...told].map(name => [
    name,
    'Subject="CN=admin"',
  ]),
)

describe.skipIf(reason !== undefined)(`clients${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let fixture: GatewayFixture
  let authority: TestAuthority
  let otherAuthority: TestAuthority
  let ann: CertificateData
  let bob: CertificateData
  beforeAll(async () => {
    authority = await testAuthority('one')
    otherAuthority = await testAuthority('other')
    ann = await authority.client('ann')
    bob = await otherAuthority.client('bob')
    fixture = await GatewayFixture.up('clients')
    await fixture.apply(
      secret('certificate', await authority.server('example.org')),
      configMap('authority', authority.certificate),
      configMap('other-authority', otherAuthority.certificate),
    )
  })
  afterEach(() => fixture?.unmake())
  afterAll(() => fixture?.close())

  const request = (client?: CertificateData, headers: Asked['headers'] = {}): Asked => ({
    to: 'example.org/',
    headers,
    tls: {
      serverName: 'example.org',
      trusted: authority.certificate,
      certificate: client?.['tls.crt'],
      key: client?.['tls.key'],
    },
  })

  async function make(
    name: string,
    frontend: { readonly default?: object; readonly perPort?: readonly object[] },
    ports: readonly number[] = [443],
  ): Promise<void> {
    await fixture.make(
      gateway(
        name,
        ports.map(port => httpsListener(`at-${port}`, 'certificate', { port })),
        frontend.default === undefined ? {} : { tls: { frontend } },
      ),
      httpRoute(name, name, [rule('v1')]),
    )
    await fixture.accepted('httproute', name)
  }

  /** What the service hears of a client. */
  async function heard(place: Place, asked: Asked): Promise<Readonly<Record<string, string>>> {
    const { headers = {} } = echoOf(await fixture.asker.request(place, asked))
    return Object.fromEntries(Object.entries(headers).filter(([name]) => /client.?cert|client.?verify/.test(name)))
  }

  const factsOf = (client: CertificateData, name: string): Readonly<Record<string, string>> => {
    const { raw } = new X509Certificate(client['tls.crt'])
    return {
      'x-forwarded-client-verify': 'SUCCESS',
      'x-forwarded-client-cert': `Hash=${createHash('sha256').update(raw).digest('hex')};Subject="CN=${name}"`,
      'client-cert': `:${raw.toString('base64')}:`,
    }
  }

  test('a service is told of a certificate that is valid, and of none by what a client says', async () => {
    await make('told', { default: asking('AllowInsecureFallback'), perPort: [{ port: 8443, tls: {} }] }, [443, 8443])
    const [asks, asksNot] = [await fixture.place('told', 443), await fixture.place('told', 8443)]
    await fixture.answers(asks, [[request(ann), 'v1']])
    expect(await heard(asks, request(ann, lies))).toEqual(factsOf(ann, 'ann'))
    expect(await heard(asks, request(bob, lies))).toEqual({ 'x-forwarded-client-verify': 'FAILED' })
    expect(await heard(asks, request(undefined, lies))).toEqual({ 'x-forwarded-client-verify': 'NONE' })
    expect(await heard(asksNot, request(ann, lies))).toEqual({})
  })

  test('a session that began where nobody is asked opens no port at which clients are', async () => {
    const frontend = {
      default: asking(),
      perPort: [
        { port: 7443, tls: {} },
        { port: 8443, tls: asking('AllowValidOnly', 'other-authority') },
      ],
    }
    await make('sessions', frontend, [443, 7443, 8443])
    const { address } = await fixture.place('sessions', 443)
    await fixture.answers({ address, port: 443 }, [[request(ann), 'v1']])
    const file = (name: string): string => join(fixture.cluster.directory, name)
    writeFileSync(file('ann.pem'), `${ann['tls.crt']}${ann['tls.key']}`)
    const ask = async (port: number, ...options: readonly string[]): Promise<string> =>
      (
        await fixture.cluster.run(
          'openssl',
          ['s_client', '-connect', `${address}:${port}`, '-servername', 'example.org', '-ign_eof', ...options],
          { input: 'GET / HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n', timeoutMs: 10_000 },
        )
      ).out
    for (const version of ['-tls1_2', '-tls1_3']) {
      const session = file(`session${version}`)
      expect(await ask(7443, version, '-sess_out', session)).toContain('HTTP/1.1 200')
      expect(await ask(443, version, '-sess_in', session)).not.toContain('HTTP/1.1')
      const annsSession = file(`anns-session${version}`)
      expect(await ask(443, version, '-cert', file('ann.pem'), '-sess_out', annsSession)).toContain('HTTP/1.1 200')
      expect(await ask(8443, version, '-sess_in', annsSession)).not.toContain('HTTP/1.1')
    }
  })

  /** One connection for as long as it lasts, on which each line that is written asks once more, for the host that it is. */
  const staying = `
    const { certificate, key, trusted, address, serverName } = JSON.parse(process.argv[1])
    const https = require('node:https')
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 })
    let local
    require('node:readline').createInterface({ input: process.stdin }).on('line', host => {
      https.get({ host: address, port: 443, agent, servername: serverName, ca: trusted, cert: certificate, key,
        headers: { host } }, answer => {
        const port = answer.socket.localPort
        local ??= port
        const chunks = []
        answer.on('data', chunk => chunks.push(chunk)).on('end', () => console.log(JSON.stringify({
          status: answer.statusCode, isSame: port === local, body: Buffer.concat(chunks).toString() })))
      }).on('error', error => console.log(JSON.stringify({ error: error.message })))
    }).on('close', () => process.exit())`

  interface Told {
    readonly status?: number
    readonly isSame?: boolean
    readonly error?: string
    readonly body?: string
  }
  function connectedTo(
    { address }: Place,
    client?: CertificateData,
  ): { readonly ask: (host?: string) => Promise<Told>; readonly end: () => void } {
    const facts = JSON.stringify({ ...request(client).tls, address })
    const child = fixture.cluster.spawn(process.execPath, ['-e', staying, facts])
    const lines = child.stdout![Symbol.asyncIterator]()
    return {
      ask: async (host = 'example.org') => {
        child.stdin!.write(`${host}\n`)
        return JSON.parse(String((await lines.next()).value)) as Told
      },
      end: () => void child.kill(),
    }
  }

  test('who stays connected is told of as before after a load, and asked anew where others are let in', async () => {
    await make('staying', { default: asking() })
    const place = await fixture.place('staying', 443)
    await fixture.answers(place, [[request(ann), 'v1']])
    const { ask, end } = connectedTo(place, ann)
    const facts = (body = '{}'): Readonly<Record<string, string>> =>
      (JSON.parse(body) as { headers: Record<string, string> }).headers
    const before = await ask()
    expect(before).toMatchObject({ status: 200, isSame: true })
    expect(facts(before.body)).toMatchObject(factsOf(ann, 'ann'))
    // Another port is a load.
    await make('one-more', { default: asking() }, [9443])
    await fixture.answers(await fixture.place('one-more', 9443), [[request(ann), 'v1']])
    const after = await ask()
    expect(after).toMatchObject({ status: 200, isSame: true })
    expect(facts(after.body)).toMatchObject(factsOf(ann, 'ann'))
    // The connection ends with the answer; the next one is asked by the new authority.
    expect(await ask()).toMatchObject({ status: 200, isSame: false })
    await fixture.patch('gateway', 'staying', {
      spec: { tls: { frontend: { default: asking('AllowValidOnly', 'other-authority') } } },
    })
    await fixture.answers(place, [[request(bob), 'v1']])
    const refused = await ask()
    expect(refused.status ?? 503).toBe(503)
    expect(await ask()).toHaveProperty('error')
    end()
  })

  test('a request for another listener is misdirected on a connection that outlived a load, too', async () => {
    await fixture.make(
      gateway('apart', [
        httpsListener('any', 'certificate'),
        httpsListener('other', 'certificate', { hostname: 'other.example.org' }),
      ]),
      httpRoute('apart', 'apart', [rule('v1')]),
    )
    const place = await fixture.place('apart', 443)
    await fixture.answers(place, [[request(), 'v1']])
    const { ask, end } = connectedTo(place)
    expect(await ask()).toMatchObject({ status: 200, isSame: true })
    await make('one-more', {}, [9444])
    await fixture.answers(await fixture.place('one-more', 9444), [[request(), 'v1']])
    expect(await ask('other.example.org')).toMatchObject({ status: 421, isSame: true })
    end()
  })
})
