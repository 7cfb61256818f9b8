// Certificates of a public authority, got from Pebble, the test server of Let's Encrypt: with its faults switched on, with the
// server killed in the middle, and with people who change what they should leave alone. Names are Pebble's own DNS server's.
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChildProcess } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Condition, Secret } from '../../src/api/generated/models.ts'
import type { CertificateIssuer } from '../../src/api/gateway-api/certificate-issuers.ts'
import { createAuthority, signCertificate } from '../../src/server/auth/certificate-authority.ts'
import { ClusterFixture, readText, reasonToSkipCluster, succeeded } from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'

const reason = reasonToSkipCluster()

/** Pebble counts in memory: what it was asked is what it logs. */
interface Authority {
  readonly process: ChildProcess
  log: string
}

const ingress = (name: string, hosts: readonly string[], more: { annotations?: object; tls?: object[] } = {}) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name, ...(more.annotations && { annotations: more.annotations }) },
  spec: {
    rules: hosts.map(host => ({
      host,
      http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }] },
    })),
    ...(more.tls && { tls: more.tls }),
  },
})

describe.skipIf(reason !== undefined)(
  `public certificates${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    let cluster: ClusterFixture
    let caBundle: string
    let authority: Authority
    const environments = Array.from({ length: 10 }, (_environment, index) => `env-${index}.example.com`)

    beforeAll(async () => {
      cluster = new ClusterFixture('gateway-acme')
      const ca = await createAuthority('who vouches for Pebble', 30, Date.now())
      caBundle = Buffer.from(ca.certificate).toString('base64')
      const own = await signCertificate(
        ca,
        { commonName: 'Pebble', usage: 'server', days: 30, dnsNames: ['localhost'], addresses: ['127.0.0.1'] },
        Date.now(),
      )
      writeFileSync(file('pebble.crt'), own.certificate)
      writeFileSync(file('pebble.key'), own.key)
      writeFileSync(dnsProgram(), dnsScript(file('dns.log'), file('dns.fails')))
      chmodSync(dnsProgram(), 0o755)
      cluster.spawn('pebble-challtestsrv', [
        '-http01',
        '',
        '-https01',
        '',
        '-tlsalpn01',
        '',
        '-dns01',
        '127.0.0.1:8053',
        '-management',
        '127.0.0.1:8055',
        '-defaultIPv6',
        '',
      ])
      authority = await startPebble()
      succeeded(await cluster.up('--acme-dns-command', dnsProgram()))
    }, 120_000)
    afterAll(() => cluster?.close())

    const file = (name: string): string => join(cluster.directory, name)
    const dnsProgram = (): string => file('dns')

    async function startPebble({
      lifeSeconds = 3600,
      blocked = ['blocked.example.com'],
      rejected = 30,
      known = undefined as string | undefined,
    } = {}): Promise<Authority> {
      const config = {
        listenAddress: '127.0.0.1:14000',
        managementListenAddress: '127.0.0.1:15000',
        certificate: file('pebble.crt'),
        privateKey: file('pebble.key'),
        httpPort: 80,
        tlsPort: 443,
        domainBlocklist: blocked,
        certificateValidityPeriod: lifeSeconds,
        ...(known !== undefined && {
          externalAccountBindingRequired: true,
          externalAccountMACKeys: { 'kid-1': known },
        }),
      }
      writeFileSync(file('pebble.json'), JSON.stringify({ pebble: config }))
      const started: Authority = {
        process: cluster.spawn('pebble', ['-config', file('pebble.json'), '-dnsserver', '127.0.0.1:8053'], {
          environment: { PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: String(rejected), PEBBLE_AUTHZREUSE: '0' },
        }),
        log: '',
      }
      for (const stream of [started.process.stdout!, started.process.stderr!])
        stream.on('data', (part: Buffer) => (started.log += part.toString()))
      await eventually('Pebble listens', async () =>
        (await cluster.curl('https://localhost:15000/roots/0', '--insecure')).includes('BEGIN'),
      )
      return started
    }

    async function stopPebble(): Promise<void> {
      authority.process.kill('SIGKILL')
      await eventually(
        'Pebble is gone',
        async () => (await cluster.curl('https://localhost:15000/roots/0', '--insecure')) === '',
      )
    }

    /** nsenter is replaced by what it starts. */
    const restartPebble = async (options: Parameters<typeof startPebble>[0] = {}): Promise<void> => {
      await stopPebble()
      authority = await startPebble(options)
    }
    const ordered = (): number => [...authority.log.matchAll(/Added order "/g)].length
    const accounts = (): number => Number([...authority.log.matchAll(/There are now (\d+) accounts/g)].at(-1)?.[1] ?? 0)

    const apply = async (...items: object[]): Promise<void> => {
      succeeded(await cluster.kubectlWith({ apiVersion: 'v1', kind: 'List', items }, 'apply'))
    }
    const issuer = (name: string, domains: readonly string[], solver: object, more: object = {}) => ({
      apiVersion: 'gateway.sampan.dev/v1alpha1',
      kind: 'CertificateIssuer',
      metadata: { name },
      spec: {
        domains,
        acme: { server: 'https://localhost:14000/dir', email: 'ops@example.com', caBundle, solver, ...more },
      },
    })
    const byDns = { dns01: { propagationSeconds: 0 } }
    const byHttp = { http01: {} }
    const readIssuer = (name: string): Promise<CertificateIssuer> => cluster.json('get', 'certificateissuer', name)
    const ready = async (name: string): Promise<Condition | undefined> =>
      (await readIssuer(name)).status?.conditions?.find(({ type }) => type === 'Ready')
    const isReady = (name: string, status = 'True', words = ''): Promise<unknown> =>
      eventually(
        `${name}: ${status} ${words}`,
        async () => {
          const condition = await ready(name)
          return (
            condition?.status === status &&
            (status === 'True' ? condition.reason === 'Ready' : condition.reason !== 'Pending') &&
            condition.message.includes(words)
          )
        },
        30_000,
      )
    const secret = (name: string): Promise<Secret> => cluster.json('get', 'secret', name, '--namespace', 'kube-system')
    const dnsCalls = (): string[] => (existsSync(file('dns.log')) ? readText(file('dns.log')).trim().split('\n') : [])

    /** As a browser that trusts the authority. */
    const visits = async (host: string): Promise<string> => {
      writeFileSync(file('root.pem'), await cluster.curl('https://localhost:15000/roots/0', '--insecure'))
      const { out, err } = await cluster.run('curl', [
        '--silent',
        '--show-error',
        '--max-time',
        '5',
        '--cacert',
        file('root.pem'),
        '--resolve',
        `${host}:443:127.0.0.1`,
        '--output',
        '/dev/null',
        '--write-out',
        '%{http_code}',
        `https://${host}/`,
      ])
      return out + err
    }
    const isServed = (host: string): Promise<unknown> =>
      eventually(`${host} is vouched for`, async () => /^50[03]$/.test(await visits(host)))
    const served = async (host: string): Promise<string> =>
      (
        await cluster.run('sh', [
          '-c',
          `openssl s_client -connect 127.0.0.1:443 -servername ${host} </dev/null 2>/dev/null | openssl x509 -noout -serial`,
        ])
      ).out.trim()

    const workerOf = async (): Promise<string> => {
      const master = (await cluster.run('cat', [`/run/sampan/${cluster.name}/haproxy.pid`])).out.trim()
      return (await cluster.run('pgrep', ['-P', master])).out
    }

    test('a name is proven at port 80, past redirects to TLS, policies and whatever an Ingress has there', async () => {
      await apply(
        issuer('names', ['shop.example.com', 'closed.example.com', 'blocked.example.com'], byHttp),
        ingress('shop', ['shop.example.com', '*.shop.example.com'], {
          annotations: { 'nginx.ingress.kubernetes.io/force-ssl-redirect': 'true' },
          tls: [{ hosts: ['shop.example.com'], secretName: 'nobody-made-it' }],
        }),
        ingress('closed', ['closed.example.com']),
        {
          apiVersion: 'gateway.sampan.dev/v1alpha1',
          kind: 'AccessPolicy',
          metadata: { name: 'closed' },
          spec: {
            targetRefs: [{ group: 'networking.k8s.io', kind: 'Ingress', name: 'closed' }],
            addresses: { allow: ['192.0.2.0/24'] },
          },
        },
      )
      await isReady('names')
      await eventually(
        'those who may not ask see who it is',
        async () => (await visits('closed.example.com')) === '403',
      )
      await isServed('shop.example.com')
      const { status } = await readIssuer('names')
      expect(status?.certificates?.map(({ secretName }) => secretName).toSorted()).toEqual([
        'tls.closed.example.com',
        'tls.shop.example.com',
      ])
      expect(status?.challenges).toEqual([])
      expect((await secret('tls.shop.example.com')).type).toBe('kubernetes.io/tls')
      expect(
        await cluster.kubectl('get', 'secret', 'tls.shop.example.com-order', '--namespace', 'kube-system'),
      ).toMatchObject({ code: 1 })
      expect(ordered()).toBe(2)
      // Nothing is left at the place of challenges, and what an Ingress has there is its own again.
      expect(
        await cluster.curl(
          'http://shop.example.com/.well-known/acme-challenge/x',
          '--resolve',
          'shop.example.com:80:127.0.0.1',
          '--output',
          '/dev/null',
          '--write-out',
          '%{http_code}',
        ),
      ).toBe('308')
    })

    test('what the authority refuses is told in its words, and the others of the issuer go on', async () => {
      await apply(ingress('blocked', ['blocked.example.com']))
      await isReady('names', 'False', 'policy')
      const { status } = await readIssuer('names')
      const failing = status!.certificates!.find(({ domain }) => domain === 'blocked.example.com')!
      expect(failing).toMatchObject({ failures: 1, reason: 'Refused' })
      expect(Date.parse(failing.nextAttemptTime!) - Date.now()).toBeGreaterThan(14 * 60_000)
      const words = 'no certificate for blocked.example.com: '
      expect((await cluster.sampan('status', '--name', cluster.name)).out).toContain(words)
      expect((await cluster.sampan('gateway', 'routes')).out).toContain(words)
      expect(await cluster.show('get', 'events', '--all-namespaces', '-o', 'custom-columns=:.message')).toContain(words)
      expect(await visits('shop.example.com')).toMatch(/^50[03]$/)
      succeeded(await cluster.kubectl('delete', 'ingress', 'blocked'))
      await isReady('names')
    })

    test('a wildcard that could not be proven is refused as it is written', async () => {
      const { err } = await cluster.kubectlWith(issuer('wild', ['*.example.com'], byHttp), 'apply')
      expect(err).toContain('a wildcard is proven by dns01 alone')
    })

    test('15 services in 10 environments are 10 orders', async () => {
      const before = ordered()
      await apply(
        issuer(
          'environments',
          environments.map(each => `*.${each}`),
          byDns,
        ),
        ...environments.flatMap((environment, index) => [
          { apiVersion: 'v1', kind: 'Namespace', metadata: { name: `env-${index}` } },
          ...Array.from({ length: 15 }, (_service, service) => {
            const { metadata, ...rest } = ingress(`service-${service}`, [`service-${service}.${environment}`])
            return { ...rest, metadata: { ...metadata, namespace: `env-${index}` } }
          }),
        ]),
      )
      await isReady('environments')
      await isServed('service-14.env-9.example.com')
      await isServed('service-0.env-0.example.com')
      expect(ordered() - before).toBe(10)
      const { status } = await readIssuer('environments')
      expect(status?.certificates).toHaveLength(10)
      const calls = dnsCalls().map(line => line.split(' ').slice(0, 2).join(' '))
      expect(calls.toSorted()).toEqual(
        environments.flatMap(each => [`add _acme-challenge.${each}`, `remove _acme-challenge.${each}`]).toSorted(),
      )
    })

    test('a name and all names below it are proven by the same record, one after the other', async () => {
      await apply(
        issuer('apex', ['apex.example.com', '*.apex.example.com'], byDns),
        ingress('apex', ['apex.example.com', 'a.apex.example.com']),
      )
      await isReady('apex')
      await isServed('apex.example.com')
      await isServed('a.apex.example.com')
      const calls = dnsCalls()
        .filter(line => line.includes('_acme-challenge.apex.'))
        .map(line => line.split(' ')[0])
      expect(calls).toEqual(['add', 'remove', 'add', 'remove'])
    })

    test('a program that fails is told with its words', async () => {
      writeFileSync(file('dns.fails'), 'the zone is not ours')
      await apply(issuer('failing', ['*.failing.example.com'], byDns), ingress('failing', ['a.failing.example.com']))
      await isReady('failing', 'False', 'exit code 3: the zone is not ours')
      const before = ordered()
      writeFileSync(file('dns.fails'), '')
      // A change tries again at once, and goes on with the order that is there.
      await apply(issuer('failing', ['*.failing.example.com', 'unused.example.com'], byDns))
      await isReady('failing')
      expect(ordered()).toBe(before)
    })

    test('a Secret that somebody damaged, or took away, comes back', async () => {
      const before = await served('a.apex.example.com')
      const worker = await workerOf()
      succeeded(
        await cluster.kubectl(
          'patch',
          'secret',
          'tls-wildcard.apex.example.com',
          '--namespace',
          'kube-system',
          '--type',
          'merge',
          '--patch',
          '{"data": {"tls.crt": "aGVsbG8="}}',
        ),
      )
      await eventually(
        'another one',
        async () =>
          ![before, ''].includes(await served('a.apex.example.com')) &&
          (await visits('a.apex.example.com')).startsWith('50'),
      )
      succeeded(await cluster.kubectl('delete', 'secret', 'tls.shop.example.com', '--namespace', 'kube-system'))
      await eventually(
        'it is back',
        async () =>
          (await cluster.kubectl('get', 'secret', 'tls.shop.example.com', '--namespace', 'kube-system')).code === 0,
      )
      await isServed('shop.example.com')
      // Challenges come and go, and certificates change, without a load.
      expect(await workerOf()).toBe(worker)
    })

    test('a server that is killed in the middle of an order goes on with it', async () => {
      const before = { orders: ordered(), accounts: accounts() }
      await apply(
        issuer('killed', ['*.killed.example.com'], { dns01: { propagationSeconds: 4 } }),
        ingress('killed', ['a.killed.example.com']),
      )
      await eventually(
        'the order is made',
        async () =>
          (
            await cluster.kubectl(
              'get',
              'secret',
              'tls-wildcard.killed.example.com-order',
              '--namespace',
              'kube-system',
            )
          ).code === 0,
      )
      const key = (await secret('killed-account-key')).data
      process.kill(await cluster.serverPid(), 'SIGKILL')
      await eventually('it is gone', async () => (await cluster.sampan('status', '--name', cluster.name)).code === 3)
      succeeded(await cluster.up('--acme-dns-command', dnsProgram()))
      await isReady('killed')
      await isServed('a.killed.example.com')
      expect({ orders: ordered(), accounts: accounts() }).toEqual({
        orders: before.orders + 1,
        accounts: before.accounts + 1,
      })
      expect((await secret('killed-account-key')).data).toEqual(key)
      // All others are there as before, and nothing was ordered for them.
      await isReady('environments')
    })

    test('a certificate is renewed in time; while the authority is away the one before is shown', async () => {
      // It has forgotten all accounts, and takes those alone that it was told of.
      const known = 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W'
      await restartPebble({ lifeSeconds: 30, known })
      await apply(
        {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: 'bound', namespace: 'kube-system' },
          stringData: { secret: known },
        },
        issuer('short', ['*.short.example.com'], byDns, {
          externalAccountBinding: { keyID: 'kid-1', keySecretRef: { name: 'bound', key: 'secret' } },
        }),
        ingress('short', ['a.short.example.com']),
      )
      await isReady('short')
      await isServed('a.short.example.com')
      const first = await served('a.short.example.com')
      await stopPebble()
      await isReady('short', 'False', 'no new certificate for *.short.example.com: localhost:14000: ')
      expect((await ready('short'))?.message).toContain('the one before is shown until')
      expect(await served('a.short.example.com')).toBe(first)
      authority = await startPebble({ known })
      await eventually('it is renewed', async () => ![first, ''].includes(await served('a.short.example.com')), 30_000)
      await isServed('a.short.example.com')
      await isReady('short')
    })
  },
)

/** Of `pebble-challtestsrv`, which has an API in place of zones. */
const dnsScript = (log: string, fails: string): string => `#!/bin/sh
if [ -s ${fails} ] && [ "$1" = add ]; then cat ${fails}; exit 3; fi
echo "$@" >> ${log}
case "$1" in
  add) curl --silent --fail --data "{\\"host\\": \\"$2.\\", \\"value\\": \\"$3\\"}" http://127.0.0.1:8055/set-txt ;;
  remove) curl --silent --fail --data "{\\"host\\": \\"$2.\\"}" http://127.0.0.1:8055/clear-txt ;;
esac
`
