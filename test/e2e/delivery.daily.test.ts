// A day with two services: what runs, what it says, what is run beside it, and how it all goes away again. The built
// `sampan` against a real cluster.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ClusterFixture,
  folder,
  reasonToSkipCluster,
  sampanProgram,
  succeeded,
  type Result,
} from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'

const reason = reasonToSkipCluster()

/** Says where it runs, and which request it got. */
const program = (name: string): string => `
console.log('${name} begins')
require('node:http').createServer((request, response) => {
  console.log('${name} got', request.url)
  response.end('${name} ' + process.env.SERVICE_VERSION + ' ' + (process.env.GREETING ?? ''))
}).listen(8080)
process.on('SIGTERM', () => process.exit())
`

const team = `# Our team.
services:
  web: { needs: [api] }
  api: {}
environments:
  test: {} # for everybody
`

const webManifest = `name: web
replicas: 2
stopSeconds: 1
ports: { http: { port: 8080, nodePort: 30080 } }
health: { http: / }
env: { GREETING: hello }
schedules:
  sync: { cron: "0 0 1 1 *", run: node sync.js }
  fail: { cron: "0 0 1 1 *", run: node fail.js }
environments:
  test: {}
  test7: { extends: test, ports: { http: { nodePort: 30087 } } }
`
const apiManifest = `name: api
stopSeconds: 1
ports: { http: 8080 }
health: { http: / }
`

interface Instances {
  readonly instances: readonly { readonly name: string; readonly ready: boolean; readonly version: string }[]
}

describe.skipIf(reason !== undefined)(`every day${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let cluster: ClusterFixture
  let project: string
  const sampan = (...args: string[]): Promise<Result> =>
    cluster.run(sampanProgram, args, { directory: project, timeoutMs: 120_000 })
  const json = async <T>(...args: string[]): Promise<T> =>
    JSON.parse(succeeded(await sampan(...args, '-o', 'json')).out) as T
  const instances = async (service: string): Promise<Instances['instances']> =>
    (await json<Instances[]>('ps', '-e', 'test', service))[0]!.instances

  beforeAll(async () => {
    cluster = await ClusterFixture.up('daily')
    project = folder(cluster.directory, 'project')
    writeFileSync(join(project, 'sampan.yml'), team)
    for (const [name, manifest] of [
      ['web', webManifest],
      ['api', apiManifest],
    ] as const) {
      const directory = folder(project, name)
      writeFileSync(join(directory, 'package.json'), JSON.stringify({ name, version: '1.0.0', main: 'main.js' }))
      writeFileSync(join(directory, 'main.js'), program(name))
      writeFileSync(join(directory, 'sync.js'), "console.log('synchronized', process.env.GREETING)")
      writeFileSync(join(directory, 'fail.js'), "console.error('no'); process.exit(9)")
      writeFileSync(join(directory, 'app.yml'), manifest)
      await cluster.build(directory, `${name}:1.0.0`)
    }
    succeeded(await sampan('deploy', '-e', 'test'))
  }, 300_000)
  afterAll(() => cluster?.close())

  test('ps shows instances and schedules', async () => {
    const { out } = succeeded(await sampan('ps', '-e', 'test'))
    expect(out).toMatch(/SERVICE +INSTANCE +VERSION +STATE +READY +RESTARTS +AGE +NODE/)
    expect(out.match(/^web +web-\S+ +1\.0\.0 +Running +yes +0 /gm)).toHaveLength(2)
    expect(out.match(/^api +api-\S+ +1\.0\.0 +Running +yes +0 /gm)).toHaveLength(1)
    expect(out).toMatch(/^web +sync +no +never +in \S+ \(\d{4}-01-01T00:00:00Z\)/m)
    const unknown = await sampan('ps', '-e', 'test', 'wbe')
    expect(unknown).toMatchObject({ code: 1 })
    expect(unknown.err).toContain('there is nothing of wbe')
  })

  test('ps finds what was delivered also where there are no files', async () => {
    const elsewhere = folder(cluster.directory, 'elsewhere')
    const { out } = succeeded(await cluster.run(sampanProgram, ['ps', '-e', 'test'], { directory: elsewhere }))
    expect(out).toContain('web-')
    expect(out).toContain('api-')
  })

  test('status says that all is well, and what is not', async () => {
    const well = await sampan('status', '-e', 'test')
    expect(well).toMatchObject({ code: 0 })
    expect(well.out).toMatch(/^web +1 +1\.0\.0 +well +2\/2 +port 30080 of the machines$/m)
    succeeded(await cluster.kubectl('delete', 'deployment', 'api', '-n', 'test', '--wait'))
    const broken = await sampan('status', '-e', 'test')
    expect(broken).toMatchObject({ code: 3 })
    expect(broken.out).toContain('api: its instances are gone')
    succeeded(await sampan('deploy', '-e', 'test', 'api'))
    expect(await sampan('status', '-e', 'test', 'api', 'web')).toMatchObject({ code: 0 })
  })

  test('open says where it answers: a port of the machine, else a way that it keeps open', async () => {
    const { out } = succeeded(await sampan('open', '-e', 'test', 'web', '--print'))
    expect(out).toBe('http://127.0.0.1:30080/\n')
    expect(await cluster.curl(out.trim())).toBe('web 1.0.0 hello')

    const child = cluster.spawn(sampanProgram, ['open', '-e', 'test', 'api', '--print'], { directory: project })
    let words = ''
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      words += text
    })
    const code = new Promise<number | null>(resolve => {
      child.on('close', resolve)
    })
    await eventually('it has an address', () => words.endsWith('/\n'), 20_000)
    expect(succeeded(await cluster.run('curl', ['-sS', '--max-time', '10', words.trim()])).out).toContain('api 1.0.0')
    child.kill('SIGINT')
    expect(await code).toBe(130)
  })

  test('logs are merged, can be followed, and end when they are stopped or nobody reads', async () => {
    await cluster.curl('http://127.0.0.1:30080/early')
    const { out } = succeeded(await sampan('logs', '-e', 'test', 'web'))
    expect(out.match(/^\S+ +web begins$/gm)).toHaveLength(2)
    const [first] = await instances('web')
    const one = succeeded(await sampan('logs', '-e', 'test', 'web', first!.name.split('-').at(-1)!, '--tail', '1000'))
    expect(one.out.match(/^web begins$/gm)).toHaveLength(1)
    const lines = succeeded(await sampan('logs', '-e', 'test', 'web', '-o', 'json'))
      .out.trim()
      .split('\n')
    const times = lines.map(line => (JSON.parse(line) as { at: string }).at)
    expect(times).toEqual(times.toSorted())

    const child = cluster.spawn(sampanProgram, ['logs', '-e', 'test', 'web', '-f', '--tail', '1'], {
      directory: project,
    })
    let words = ''
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      words += text
    })
    const code = new Promise<number | null>(resolve => {
      child.on('close', resolve)
    })
    await eventually('it follows', () => words !== '', 20_000)
    await cluster.curl('http://127.0.0.1:30080/later')
    await eventually('what comes is shown', () => words.includes('got /later'), 20_000)
    child.kill('SIGINT')
    expect(await code).toBe(130)

    const head = await cluster.run('sh', ['-c', `${sampanProgram} logs -e test web -f | head -n 1`], {
      directory: project,
    })
    // The next line finds nobody who reads it; requests go on until then.
    expect(head.out.split('\n').length).toBe(2)
  })

  test('exec runs in an instance, with input, exit code and a terminal where there is one', async () => {
    const env = await sampan('exec', '-e', 'test', 'web', '--', 'node', '-p', 'process.env.GREETING')
    expect(env).toMatchObject({ out: 'hello\n', code: 0 })
    expect(await sampan('exec', '-e', 'test', 'web', '--', 'node', '-e', 'process.exit(7)')).toMatchObject({ code: 7 })
    const echo = 'process.stdin.on("data", bytes => process.stdout.write(String(bytes).toUpperCase()))'
    const passed = await cluster.run(sampanProgram, ['exec', '-e', 'test', 'web', '--', 'node', '-e', echo], {
      directory: project,
      input: 'quiet\n',
    })
    expect(passed).toMatchObject({ out: 'QUIET\n', code: 0 })
    // Its terminal gets the size when the command runs already.
    const size =
      'const look = setInterval(() => { const { columns, rows } = new (require("node:tty").WriteStream)(1); if (columns === 0) return; clearInterval(look); console.log([process.stdin.isTTY, columns, rows].join()); process.exit() }, 20)'
    const terminal = `stty rows 33 columns 77; ${sampanProgram} exec -e test web -- node -e '${size}'`
    const { out } = await cluster.run('script', ['--quiet', '--return', '--command', terminal, '/dev/null'], {
      directory: project,
    })
    expect(out).toContain('true,77,33')
    const wrong = await sampan('exec', '-e', 'test', 'web', 'nothing', '--', 'true')
    expect(wrong.err).toContain('"web" has no instance "nothing"; there is web-')
  })

  test('run starts a task now and a process of its own', async () => {
    expect(await sampan('run', '-e', 'test', 'web', 'sync')).toMatchObject({ out: 'synchronized hello\n', code: 0 })
    const failed = await sampan('run', '-e', 'test', 'web', 'fail')
    expect(failed).toMatchObject({ code: 9 })
    expect(failed.out).toContain('no')
    const unknown = await sampan('run', '-e', 'test', 'web', 'snyc')
    expect(unknown.err).toContain('has no task "snyc"; did you mean "sync"?')
    const logged = succeeded(await sampan('logs', '-e', 'test', 'web', '--task', 'sync'))
    expect(logged.out).toMatch(/^\S+ synchronized hello$/m)
    const own = await sampan('run', '-e', 'test', 'web', '--', 'node', '-p', 'process.env.GREETING')
    expect(own).toMatchObject({ out: 'hello\n', code: 0 })
    expect(await sampan('run', '-e', 'test', 'web', '--', 'node', '-e', 'process.exit(5)')).toMatchObject({ code: 5 })
    expect(await cluster.show('get', 'pods', '-n', 'test', '-o', 'name')).not.toContain('web-run')
  })

  test('restart and scale change the instances', async () => {
    const before = new Set((await instances('web')).map(({ name }) => name))
    succeeded(await sampan('restart', '-e', 'test', 'web'))
    await eventually('the old ones are gone', async () =>
      (await instances('web')).every(({ name, ready }) => ready && !before.has(name)),
    )
    const scaled = succeeded(await sampan('scale', '-e', 'test', 'web', '3'))
    expect(scaled.err).toContain('web has 3 instances now; the next deployment brings the 2 of its manifest back')
    expect((await instances('web')).filter(({ ready }) => ready)).toHaveLength(3)
    succeeded(await sampan('deploy', '-e', 'test', 'web'))
    await eventually('the number is that of the manifest', async () => (await instances('web')).length === 2)
  })

  test('history tells of releases and their steps', async () => {
    const { out } = succeeded(await sampan('history', '-e', 'test', 'web'))
    expect(out).toMatch(/^RELEASE +VERSION +STATE +AT +BY/)
    expect(out).toMatch(/^2 +1\.0\.0 +deployed /m)
    expect(out).toMatch(/^1 +1\.0\.0 +superseded /m)
    const steps = succeeded(await sampan('history', '-e', 'test', 'web', '--release', '2')).out
    expect(steps).toMatch(/roll out 1\.0\.0 on 2 instances +done +\d{4}-/)
  })

  test('an environment is created, cloned and deleted', async () => {
    const file = (): string => readFileSync(join(project, 'sampan.yml'), 'utf8')
    succeeded(await sampan('env', 'clone', 'test', 'test7'))
    expect(file()).toBe(`${team}  test7: { extends: test } # made by sampan env create\n`)
    expect((await sampan('status', '-e', 'test7')).code).toBe(0)
    expect(await cluster.curl('http://127.0.0.1:30087/')).toBe('web 1.0.0 hello')
    expect(await sampan('env', 'delete', 'test7')).toMatchObject({ code: 1 })
    succeeded(await sampan('env', 'delete', 'test7', '--yes'))
    expect(file()).toBe(team)
    expect((await cluster.kubectl('get', 'namespace', 'test7')).code).toBe(1)
    // As after a kill that came last.
    succeeded(await sampan('env', 'delete', 'test7', '--yes'))
    expect((await sampan('delete', '-e', 'test7', 'web', '--yes')).err).toContain('there is nothing of "web"')
    succeeded(await sampan('env', 'create', 'test7', '--extends', 'test'))
    expect(succeeded(await sampan('env', 'list')).out).toMatch(/^test7 +test +test7 +\S+$/m)
    expect((await sampan('status', '-e', 'test7')).code).toBe(0)
    succeeded(await sampan('env', 'delete', 'test7', '--yes'))
    // The run that failed by hand is the only trouble there is.
    const left = await sampan('status', '-e', 'test')
    expect(left.out).toMatch(/^web: schedule fail: the run \S+ ended with exit code 9$/m)
    expect(left.out.match(/^\w+: /gm)).toHaveLength(1)
  })

  test('an environment that cannot be made leaves no line, and a misspelt one is refused', async () => {
    // Its web wants the port of the machine that the one of test has.
    const failed = await sampan('env', 'clone', 'test', 'test8')
    expect(failed).toMatchObject({ code: 1 })
    expect(failed.err).toContain('what was delivered together was taken back together')
    expect(failed.err).toContain('test8 is not in sampan.yml any more')
    expect(readFileSync(join(project, 'sampan.yml'), 'utf8')).toBe(team)
    for (const args of [['ps'], ['status'], ['logs', 'web'], ['delete', 'web', '--yes'], ['rollback', 'web']]) {
      const [command = '', ...rest] = args
      const refused = await sampan(command, '-e', 'test8', ...rest)
      expect(refused).toMatchObject({ code: 1 })
      expect(refused.err).toContain('there is no environment "test8"; did you mean "test')
    }
    succeeded(await sampan('env', 'delete', 'test8', '--yes'))
    expect((await cluster.kubectl('get', 'namespace', 'test8')).code).toBe(1)
    const again = await sampan('env', 'delete', 'test8', '--yes')
    expect(again).toMatchObject({ code: 1 })
    expect(again.err).toContain('there is no environment "test8": no file here names it')
    const elsewhere = folder(cluster.directory, 'elsewhere')
    const nothing = await cluster.run(sampanProgram, ['ps', '-e', 'tset'], { directory: elsewhere })
    expect(nothing).toMatchObject({ code: 1 })
    expect(nothing.err).toContain('nothing was delivered to the environment "tset"')
    const restarted = await cluster.run(sampanProgram, ['restart', '-e', 'tset', 'web'], { directory: elsewhere })
    expect(restarted).toMatchObject({ code: 1 })
    expect(restarted.err).toContain('no release of "web" runs in the environment "tset"')
  }, 120_000)

  test('status tells of instances that no record knows', async () => {
    succeeded(await cluster.kubectl('delete', 'secret', '-n', 'test', '-l', 'sampan.dev/release=api', '--wait'))
    const lost = await sampan('status', '-e', 'test', 'api')
    expect(lost).toMatchObject({ code: 3 })
    expect(lost.out).toContain('api: no release tells of what runs: api 1.0.0 (1 ready)')
    succeeded(await sampan('deploy', '-e', 'test', 'api:1.0.0'))
    expect(await sampan('status', '-e', 'test', 'api')).toMatchObject({ code: 0 })
  })

  test('delete takes everything away, also after it was killed', async () => {
    expect((await sampan('delete', '-e', 'test', 'web')).err).toContain('add --yes')
    const asked = `${sampanProgram} delete -e test web`
    const refused = await cluster.run('script', ['--quiet', '--return', '--command', asked, '/dev/null'], {
      directory: project,
      input: 'wbe\n',
    })
    expect(refused.out).toContain('expected "web", found "wbe"; nothing was changed')
    const child = cluster.spawn(sampanProgram, ['delete', '-e', 'test', 'web', '--yes'], { directory: project })
    const ended = new Promise(resolve => {
      child.on('close', resolve)
    })
    let words = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      words += text
      if (words.includes('✓ remove')) child.kill('SIGKILL')
    })
    await ended
    await sampan('delete', '-e', 'test', 'web', '--yes')
    for (const kind of ['deployment', 'service', 'cronjob', 'secret', 'configmap', 'job'])
      expect(await cluster.show('get', kind, '-n', 'test', '-l', 'app.kubernetes.io/name=web', '-o', 'name')).toBe('')
    expect((await sampan('history', '-e', 'test', 'web')).err).toContain('there is no release of "web"')
    const again = await sampan('delete', '-e', 'test', 'web', '--yes')
    expect(again).toMatchObject({ code: 1 })
    expect(again.err).toContain('there is nothing of "web"')
    succeeded(await sampan('status', '-e', 'test', 'api'))
  })
})
