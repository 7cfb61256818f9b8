// How fast a cluster and its pods come up, and what an idle one costs. Everything runs in a network
// namespace of its own: `node bench/cluster.ts [rounds] [part ...]`; prints medians and the single values as
// JSON. Parts: idle, pods, start, application; all of them when none is named.
// The part inside the namespace is this same file with `--inside`.
import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { text } from 'node:stream/consumers'
import type { Deployment, Pod } from '../src/api/generated/models.ts'
import type { New } from '../src/api/object.ts'
import { deployments, pods } from '../src/api/resources.ts'
import { HttpClient } from '../src/client/http-client.ts'
import { clusterAccess } from '../src/client/kubeconfig.ts'
import { machineClock } from '../src/host/machine-clock.ts'
import { geoDirectory, NetworkNamespace, repository, warmLayers } from '../src/testing/cluster-fixture.ts'

const rounds = Number(process.argv.find(argument => /^\d+$/.test(argument)) ?? 5)
const parts = ['idle', 'pods', 'start', 'application'] as const
const chosen = parts.filter(part => process.argv.includes(part))
const wanted = (part: (typeof parts)[number]): boolean => chosen.length === 0 || chosen.includes(part)
const sampan = join(repository, 'bin/sampan')
const name = 'bench'

interface Place {
  readonly directory: string
  readonly kubeconfig: string
}

function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN
}

const results: Record<string, { median: number; values: number[]; unit: string }> = {}

function record(what: string, values: readonly number[], unit = 'ms'): void {
  const rounded = values.map(value => Math.round(value * 10) / 10)
  results[what] = { median: median(rounded), values: rounded, unit }
  console.error(`${what.padEnd(52)} ${String(median(rounded)).padStart(8)} ${unit}   (${rounded.join(', ')})`)
}

function command(place: Place, ...args: string[]): ChildProcess {
  const withCluster = ['up', 'down', 'status'].includes(args[0]!)
    ? [...args, '--name', name, '--data-dir', join(place.directory, 'data')]
    : args
  return spawn(sampan, withCluster, {
    env: { ...process.env, KUBECONFIG: place.kubeconfig },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function run(place: Place, ...args: string[]): Promise<string> {
  const child = command(place, ...args)
  const [out, err, code] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    new Promise<number | null>(resolve => {
      child.once('close', resolve)
    }),
  ])
  if (code !== 0) throw new Error(`sampan ${args.join(' ')}: ${err}`)
  return out
}

interface Started {
  readonly startMs: number
  readonly apiMs: number
  readonly nodeMs: number
}

/** Times from the moment the command is started, as its own lines arrive. */
async function up(place: Place, onApi: (startMs: number) => void = () => {}): Promise<Started> {
  const startMs = performance.now()
  const child = command(place, 'up')
  let apiMs = Number.NaN
  let nodeMs = Number.NaN
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stderr! })) {
    lines.push(line)
    if (line.includes('API server answers')) {
      apiMs = performance.now() - startMs
      onApi(startMs)
    }
    if (line.includes('node is Ready')) nodeMs = performance.now() - startMs
  }
  if (Number.isNaN(nodeMs)) throw new Error(`sampan up: ${lines.join('\n')}`)
  return { startMs, apiMs, nodeMs }
}

const connect = (place: Place): HttpClient =>
  new HttpClient({ access: clusterAccess([place.kubeconfig], name), userAgent: 'bench', clock: machineClock })
const isReady = (pod: Pod): boolean =>
  pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false

/** Resolves when a pod that the test accepts is Ready after it was not. */
async function nextReady(client: HttpClient, accepts: (pod: Pod) => boolean): Promise<void> {
  const wasUnready = new Set<string>()
  for await (const { type, object } of client.watch(pods, { namespace: 'default' })) {
    if (type === 'BOOKMARK' || !accepts(object)) continue
    if (!isReady(object)) wasUnready.add(object.metadata.uid)
    else if (wasUnready.has(object.metadata.uid)) return
  }
}

const helloPod = (podName: string): New<Pod> => ({
  metadata: { namespace: 'default', name: podName, labels: { app: 'hello' } },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'hello', image: 'sampan.local/hello:1' }] },
})

const helloDeployment = (replicas: number): New<Deployment> => ({
  metadata: { namespace: 'default', name: 'hello' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'hello' } },
    template: { metadata: { labels: { app: 'hello' } }, spec: helloPod('').spec! },
  },
})

async function answers(url: string): Promise<boolean> {
  return new Promise(resolve => {
    const request = get(url, { agent: false, timeout: 1000 }, response => {
      text(response).then(
        body => resolve(body.includes('kilometers')),
        () => resolve(false),
      )
    })
    request.once('error', () => resolve(false))
    request.once('timeout', () => request.destroy())
  })
}

async function inside(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'sampan-bench-'))
  const place: Place = { directory, kubeconfig: join(directory, 'kubeconfig') }
  const hello = join(directory, 'hello')
  mkdirSync(hello)
  writeFileSync(
    join(hello, 'package.json'),
    JSON.stringify({ name: 'hello', type: 'module', scripts: { start: 'node main.js' } }),
  )
  writeFileSync(join(hello, 'main.js'), 'process.once("SIGTERM", () => process.exit(0)); setInterval(() => {}, 1e6)\n')
  try {
    await measure(place, hello)
  } finally {
    await run(place, 'down', '--purge').catch(console.error)
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measure(place: Place, hello: string): Promise<void> {
  const fresh = await up(place)
  record('very first up to API answering (keys are made)', [fresh.apiMs])
  record('very first up to node Ready', [fresh.nodeMs])
  await run(place, 'build', hello, '--tag', 'hello:1', '--name', name)
  if (wanted('idle')) await idle(place)
  if (wanted('pods')) {
    await onePod(place)
    await manyPods(place)
  }
  if (wanted('start')) await startups(place)
  if (wanted('application')) await application(place)
}

async function idle(place: Place): Promise<void> {
  const { pid } = JSON.parse(await run(place, 'status', '--output', 'json')) as { pid: number }
  await sleep(20_000)
  const ticks = (): number => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')
    return Number(fields[13]) + Number(fields[14])
  }
  const [before, startMs] = [ticks(), performance.now()]
  await sleep(30_000)
  record(
    'idle CPU of the server, share of a core',
    [(((ticks() - before) * 10) / (performance.now() - startMs)) * 100],
    '%',
  )
  const memory = readFileSync(`/proc/${pid}/status`, 'utf8')
  record('resident memory of the idle server', [Number(/VmRSS:\s+(\d+)/.exec(memory)![1]) / 1000], 'MB')
}

async function onePod(place: Place): Promise<void> {
  const client = connect(place)
  const times: number[] = []
  for (let round = 0; round <= 2 * rounds; round++) {
    const podName = `one-${round}`
    const ready = nextReady(client, pod => pod.metadata.name === podName)
    await sleep(100)
    const startMs = performance.now()
    await client.create(pods, helloPod(podName))
    await ready
    // The first one unpacks the image.
    if (round > 0) times.push(performance.now() - startMs)
    else record('one pod, created to Ready, image not unpacked yet', [performance.now() - startMs])
    await client.delete(pods, { namespace: 'default', name: podName }, { gracePeriodSeconds: 0 })
    await sleep(500)
  }
  record('one pod, created to Ready', times)
  client.close()
}

async function manyPods(place: Place): Promise<void> {
  const client = connect(place)
  const times: number[] = []
  for (let round = 0; round < Math.min(rounds, 3); round++) {
    const startMs = performance.now()
    await client.create(deployments, helloDeployment(30))
    for await (const { object } of client.watch(deployments, { namespace: 'default' }))
      if (object.status?.readyReplicas === 30) break
    times.push(performance.now() - startMs)
    await client.delete(deployments, { namespace: 'default', name: 'hello' })
    for (let turn = 0; turn < 300 && (await client.list(pods, { namespace: 'default' })).items.length > 0; turn++)
      await sleep(100)
  }
  record('30 pods of a Deployment, created to all Ready', times)
  client.close()
}

async function startups(place: Place): Promise<void> {
  const client = connect(place)
  await client.create(deployments, helloDeployment(1))
  await nextReady(client, () => true)
  client.close()
  const [api, node, pod]: [number[], number[], number[]] = [[], [], []]
  for (let round = 0; round < rounds; round++) {
    await run(place, 'down')
    const first = Promise.withResolvers<number>()
    const started = await up(place, startMs => {
      const client = connect(place)
      const ready = nextReady(client, () => true).finally(() => client.close())
      first.resolve(ready.then(() => performance.now() - startMs))
    })
    api.push(started.apiMs)
    node.push(started.nodeMs)
    pod.push(await first.promise)
  }
  record('up to API answering', api)
  record('up to node Ready', node)
  record('up to first pod Ready', pod)
  const last = connect(place)
  await last.delete(deployments, { namespace: 'default', name: 'hello' })
  last.close()
}

async function application(place: Place): Promise<void> {
  for (const service of ['backend', 'frontend']) {
    await run(place, 'build', join(geoDirectory, service), '--name', name)
    await run(place, 'deploy', '-e', 'test', `geo-${service}:1.0.0`, '--file', join(geoDirectory, service, 'app.yml'))
  }
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    await run(place, 'down')
    const startMs = performance.now()
    await up(place)
    while (!(await answers('http://127.0.0.1:30080/distance?from=52.52,13.405&to=48.8566,2.3522'))) await sleep(5)
    times.push(performance.now() - startMs)
    await sleep(2000)
  }
  record('up to the application answering through DNS (6 pods)', times)
}

async function outside(): Promise<void> {
  await warmLayers(join(geoDirectory, 'backend'), join(geoDirectory, 'frontend'))
  const namespace = new NetworkNamespace(`bench-${process.pid}`)
  const [program, args] = namespace.command(process.execPath, [process.argv[1]!, '--inside', String(rounds), ...chosen])
  const child = spawn(program, args, { stdio: 'inherit' })
  const code = await new Promise<number | null>(resolve => {
    child.once('close', resolve)
  })
  namespace.close()
  process.exitCode = code ?? 1
}

if (process.argv.includes('--inside')) {
  await inside()
  console.log(JSON.stringify(results, undefined, 2))
} else await outside()
