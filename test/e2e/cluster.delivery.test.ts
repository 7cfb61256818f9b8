// Deliveries that go wrong, end half-way or are done again, on real containers and with real signals.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ChildProcess } from 'node:child_process'
import {
  ClusterFixture,
  folder,
  reasonToSkipCluster,
  repository,
  succeeded,
  type Result,
} from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'

const reason = reasonToSkipCluster()
const url = 'http://127.0.0.1:30080/'

describe.skipIf(reason !== undefined)(`deliveries${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let cluster: ClusterFixture
  beforeAll(async () => {
    cluster = await ClusterFixture.up('delivery')
  })
  afterAll(() => cluster?.close())

  const serving = (answer: string, status = 200): string =>
    `require('node:http').createServer((_, response) => response.writeHead(${status}).end('${answer}')).listen(8080)
     process.on('SIGTERM', () => process.exit())`
  const manifest = (name: string, more: string): string => `name: ${name}\nstopSeconds: 1\n${more}\n`
  const withPort = 'ports: { http: { port: 8080, nodePort: 30080 } }\nhealth: { http: / }'

  /** Builds `name:version` from one file of code. */
  async function build(name: string, version: string, code: string, more: string): Promise<void> {
    const directory = folder(cluster.directory, name)
    writeFileSync(join(directory, 'package.json'), JSON.stringify({ name, version, main: 'main.js' }))
    writeFileSync(join(directory, 'main.js'), code)
    writeFileSync(join(directory, 'app.yml'), manifest(name, more))
    await cluster.build(directory, `${name}:${version}`)
  }
  const deploy = (target: string, ...args: string[]): Promise<Result> =>
    cluster.run(join(repository, 'bin/sampan'), ['deploy', '-e', 'test', target, ...args], { timeoutMs: 120_000 })
  const rollback = (name: string): Promise<Result> => cluster.sampan('rollback', '-e', 'test', name)
  const releases = async (name: string): Promise<string[]> =>
    (
      await cluster.json<{ items: { metadata: { labels: Record<string, string> } }[] }>(
        'get',
        'secrets',
        '-n',
        'test',
        '-l',
        `sampan.dev/release=${name}`,
      )
    ).items
      .map(({ metadata: { labels } }) => `${labels['sampan.dev/revision']} ${labels['sampan.dev/state']}`)
      .toSorted()

  /** A deployment that has begun to wait. */
  async function begun(
    target: string,
    said = 'instances are ready',
  ): Promise<{ child: ChildProcess; words: () => string; code: Promise<number | null> }> {
    const child = cluster.spawn(join(repository, 'bin/sampan'), ['deploy', '-e', 'test', target])
    let words = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      words += text
    })
    const code = new Promise<number | null>(resolve => {
      child.on('close', resolve)
    })
    await eventually('it has begun', () => words.includes(said), 30_000)
    return { child, words: () => words, code }
  }

  test('an image that was built again under the same tag comes, and a rollback brings the old one back', async () => {
    await build('web', '1.0.0', serving('first'), withPort)
    succeeded(await deploy('web:1.0.0'))
    expect(await cluster.curl(url)).toBe('first')
    await build('web', '1.0.0', serving('second'), withPort)
    succeeded(await deploy('web:1.0.0'))
    expect(await cluster.curl(url)).toBe('second')
    succeeded(await rollback('web'))
    expect(await cluster.curl(url)).toBe('first')
  })

  test.each([
    ['SIGINT', 130, 'Ctrl-C: going back to how it was before'],
    ['SIGTERM', 143, 'SIGTERM: going back to how it was before'],
  ] as const)('%s in the middle puts the release before back and says so', async (name, exitCode, words) => {
    await build('web', '2.0.0', serving('never', 500), withPort)
    const delivery = await begun('web:2.0.0')
    delivery.child.kill(name)
    expect([await delivery.code, delivery.words()]).toEqual([exitCode, expect.stringContaining(words)])
    expect(delivery.words()).toMatch(
      /web 2\.0\.0 was not delivered: interrupted by .*\nrelease 3 \(1\.0\.0\) is in place as before/,
    )
    expect((await releases('web')).at(-1)).toMatch(/^\d failed$/)
    expect(await cluster.curl(url)).toBe('first')
  })

  test('a delivery that was killed is recognized at once: rollback goes to the release before it', async () => {
    const delivery = await begun('web:2.0.0')
    const pid = Number(
      (await cluster.show('get', 'lease', '-n', 'test', 'sampan.delivery.web', '-o', 'jsonpath={.spec.holderIdentity}'))
        .replace(`root@${hostname()} (process `, '')
        .replace(')', ''),
    )
    const meanwhile = await deploy('web:1.0.0')
    expect(meanwhile).toMatchObject({
      code: 1,
      err: expect.stringContaining(`(process ${pid}) delivers "web" to the namespace test right now`) as string,
    })
    process.kill(pid, 'SIGKILL')
    await delivery.code
    const { err } = succeeded(await rollback('web'))
    expect(err).toMatch(/release 6 \(2\.0\.0\) was interrupted half-way; taking it back\n/)
    expect(await cluster.curl(url)).toBe('first')
    expect((await releases('web')).filter(line => /pending/.test(line))).toEqual([])
  })

  test('a delivery whose words nobody reads any more is brought to its end', async () => {
    await build('web', '3.0.0', serving('third'), withPort)
    const delivery = await begun('web:3.0.0', 'web 3.0.0 to test')
    delivery.child.stderr!.destroy()
    delivery.child.stdout!.destroy()
    expect(await delivery.code).toBe(0)
    expect(await cluster.curl(url)).toBe('third')
    expect((await releases('web')).filter(line => line.endsWith('deployed'))).toEqual(['7 deployed'])
  })

  test('a service without a health check that ends after its start is not said to run', async () => {
    await build('brief', '1.0.0', `console.log('nothing to do'); setTimeout(() => {}, 500)`, '')
    const { code, err } = await deploy('brief:1.0.0')
    expect(code).toBe(1)
    expect(err).toContain('container "brief" keeps crashing: it ended with exit code 0')
    expect(err).toContain('| nothing to do')
  })

  test.each([
    [
      'answers 500',
      '500',
      withPort.replace('30080', '30081'),
      /pod .* runs and is not ready: Readiness probe failed: HTTP probe failed with statuscode: 500/,
    ],
    [
      'listens elsewhere',
      '200',
      'ports: { http: 9090 }\nhealth: { tcp: true }',
      /Readiness probe failed: dial tcp .*:9090: connect: connection refused/,
    ],
    [
      'asks for too much',
      '200',
      'resources: { cpu: 90 }',
      /pod .* finds no node: 0\/1 nodes are available: .*Insufficient cpu/,
    ],
  ])('a rollout that stands still says why: it %s', async (_what, status, more, words) => {
    await build('still', '1.0.0', serving('x', Number(status)), more)
    const { code, err } = await deploy('still:1.0.0', '--timeout', '8')
    expect(code).toBe(1)
    expect(err).toMatch(/still 1\.0\.0 was not delivered: .*not finished after 8 seconds: 0 of 1 instances are ready/)
    expect(err).toMatch(words)
    expect(err).toContain('everything that it made was taken away again; there is no release before it')
    expect(await cluster.show('get', 'deployments,services', '-n', 'test', '-l', 'app.kubernetes.io/name=still')).toBe(
      '',
    )
  })

  test('pods that the cluster refuses end the delivery at once', async () => {
    await cluster.show('label', 'namespace', 'test', 'pod-security.kubernetes.io/enforce=restricted')
    await build('still', '1.0.0', serving('x'), 'security: { root: true }')
    const startMs = performance.now()
    const { code, err } = await deploy('still:1.0.0')
    expect(code).toBe(1)
    expect(err).toMatch(/the cluster refuses new pods: .*violates PodSecurity "restricted/)
    expect(performance.now() - startMs).toBeLessThan(30_000)
    await cluster.show('label', 'namespace', 'test', 'pod-security.kubernetes.io/enforce-')
  })

  test('what build prints works as printed, and --name and --context are one thing', async () => {
    const directory = folder(cluster.directory, 'dock')
    writeFileSync(
      join(directory, 'package.json'),
      JSON.stringify({ name: '@acme/dock', version: '1.2.3', main: 'main.js' }),
    )
    writeFileSync(join(directory, 'main.js'), serving('dock'))
    writeFileSync(
      join(directory, 'app.yml'),
      manifest('dock', 'image: sampan.local/acme/dock\nports: { http: 8080 }\nhealth: { http: / }'),
    )
    const { err } = succeeded(await cluster.sampan('build', directory))
    const command = /next: sampan (.*)$/m.exec(err)![1]!
    succeeded(await cluster.sampan(...command.split(' ')))
    succeeded(await cluster.sampan('build', directory, '--name', cluster.name))
    succeeded(await cluster.sampan(...command.split(' '), '--name', cluster.name))
    succeeded(await cluster.sampan(...command.split(' '), '--context', cluster.name))
    expect((await cluster.sampan(...command.split(' '), '--name', 'other')).err).toContain(
      'there is no context "other"',
    )
    expect((await cluster.sampan('build', directory, '--name', 'other', '--context', 'another')).err).toContain(
      '--context another and --name other name two clusters; give one of them',
    )
  })

  test('an image that is not there is built from the folder of the manifest, if that is its version', async () => {
    const directory = folder(cluster.directory, 'fresh')
    writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'fresh', version: '0.1.0', main: 'main.js' }))
    writeFileSync(join(directory, 'main.js'), serving('fresh'))
    writeFileSync(join(directory, 'app.yml'), manifest('fresh', 'ports: { http: 8080 }\nhealth: { http: / }'))
    expect(succeeded(await deploy('fresh')).err).toMatch(/pushed[\s\S]*fresh 0\.1\.0 runs in test/)
    expect((await deploy('fresh:0.2.0')).err).toContain(
      'there is no image sampan.local/fresh:0.2.0; its registry has 0.1.0; make it with: sampan build --tag fresh:0.2.0',
    )
  })

  test('a member of a workspace with a native module and variables in its start script runs', async () => {
    const root = folder(cluster.directory, 'workspace')
    const put = (path: string, content: string | object | Buffer): void => {
      folder(root, path, '..')
      const isText = typeof content === 'string' || Buffer.isBuffer(content)
      writeFileSync(join(root, path), isText ? content : JSON.stringify(content))
    }
    // A library that needs another one than Node.js does, as modules have them beside: it is loaded, and then refused.
    const libraries = '/usr/lib/x86_64-linux-gnu'
    const library = readdirSync(libraries).find(name => name.startsWith('libnftables.so.'))!
    put('native/package.json', { name: 'native', version: '1.0.0' })
    put('native/addon.so', readFileSync(join(libraries, library)))
    succeeded(await cluster.run('npm', ['pack', '--silent'], { directory: join(root, 'native') }))
    put('package.json', { name: 'all', private: true, workspaces: ['packages/*'] })
    put('packages/words/package.json', { name: '@acme/words', version: '1.0.0', main: 'words.js' })
    put('packages/words/words.js', `exports.hello = 'hello'`)
    put('packages/api/package.json', {
      name: 'api',
      version: '1.0.0',
      scripts: { start: 'NODE_ENV=staging node main.js --mark "a b"' },
      dependencies: { '@acme/words': '1.0.0', native: 'file:../../native/native-1.0.0.tgz' },
    })
    put(
      'packages/api/main.js',
      `let native = 'loaded'
       try { process.dlopen({ exports: {} }, require.resolve('native/addon.so')) } catch (error) { native = error.message }
       const answer = { hello: require('@acme/words').hello, mode: process.env.NODE_ENV, mark: process.argv[3], native, name: process.env.npm_package_name }
       require('node:http').createServer((_, response) => response.end(JSON.stringify(answer))).listen(8080)`,
    )
    put('packages/api/app.yml', manifest('api', withPort.replace('30080', '30085')))
    succeeded(await cluster.run('npm', ['install', '--package-lock-only', '--offline'], { directory: root }))
    succeeded(await cluster.sampan('build', join(root, 'packages/api')))
    succeeded(await deploy('api:1.0.0'))
    expect(JSON.parse(await cluster.curl('http://127.0.0.1:30085/'))).toEqual({
      hello: 'hello',
      mode: 'staging',
      mark: 'a b',
      name: 'api',
      native: expect.stringContaining('did not self-register') as string,
    })
  })

  test('the last node port goes while another port stays', async () => {
    const both = 'ports: { http: { port: 8080, nodePort: 30082 }, admin: 8081 }\nhealth: { http: / }'
    await build('ports', '1.0.0', serving('x'), both)
    succeeded(await deploy('ports:1.0.0'))
    await build('ports', '2.0.0', serving('y'), both.replace(', nodePort: 30082', ''))
    succeeded(await deploy('ports:2.0.0'))
    expect(await cluster.show('get', 'service', '-n', 'test', 'ports', '-o', 'jsonpath={.spec.type}')).toBe('ClusterIP')
  })
})
