// The load of the reference table on the API server: `node bench/api.ts [pods] [folder for profiles]`. Server (bundled and run
// as `sampan up` runs it, not for the first time, so that Node.js finds the code it compiled before) and load client are two
// processes on the same machine; every write is durable. Prints figures as JSON.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { bundle } from '../scripts/bundle.ts'
import { serverEnvironment, serverFlags } from '../src/main/server-runtime.ts'
import { LoadClient, type Access } from './load-client.ts'

const count = Number(process.argv[2] ?? 5000)
/** Where CPU profiles of the server go, one for each kind of load. */
const profiles = process.argv[3]
const results: Record<string, number> = {}

const podsPath = '/api/v1/namespaces/default/pods'
const pod = (index: number): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `pod-${index}`,
      labels: { app: `app-${index % 10}`, tier: 'bench' },
      annotations: { note: 'made for measuring' },
    },
    spec: {
      containers: [
        {
          name: 'main',
          image: 'nginx:1.27',
          ports: [{ name: 'http', containerPort: 80 }],
          env: [
            { name: 'A', value: '1' },
            { name: 'B', value: '2' },
          ],
          resources: { requests: { cpu: '100m', memory: '64Mi' } },
          readinessProbe: { httpGet: { path: '/', port: 'http' } },
        },
      ],
    },
  })

function percentile(sorted: readonly number[], fraction: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN
}

/** Runs `total` calls, `parallel` at a time; with a folder for profiles, under the profiler. */
async function drive(
  what: string,
  total: number,
  parallel: number,
  call: (index: number) => Promise<unknown>,
): Promise<void> {
  if (profiles === undefined) return measure(what, total, parallel, call)
  await toggleProfile()
  await measure(what, total, parallel, call)
  await toggleProfile()
  copyFileSync(join(directory, 'profile'), join(profiles, `${what.replace(/\W+/g, '-')}.cpuprofile`))
}

async function toggleProfile(): Promise<void> {
  running.server.kill('SIGUSR2')
  await once(running.lines, 'line')
}

async function measure(
  what: string,
  total: number,
  parallel: number,
  call: (index: number) => Promise<unknown>,
): Promise<void> {
  const latencies: number[] = []
  let next = 0
  const [server, client] = [processorMs(), process.cpuUsage()]
  const startMs = performance.now()
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      while (next < total) {
        const index = next++
        const beganMs = performance.now()
        await call(index)
        latencies.push(performance.now() - beganMs)
      }
    }),
  )
  const seconds = (performance.now() - startMs) / 1000
  const each = (milliseconds: number): number => Math.round((milliseconds * 1_000) / total)
  const [after, own] = [processorMs(), process.cpuUsage(client)]
  const costs = `${each(after.main - server.main)} of ${each(after.all - server.all)} us, client ${each((own.user + own.system) / 1_000)} us`
  latencies.sort((left, right) => left - right)
  results[`${what}, per second`] = Math.round(total / seconds)
  results[`${what}, p99 ms`] = Math.round(percentile(latencies, 0.99) * 10) / 10
  console.error(
    `${what.padEnd(44)} ${String(Math.round(total / seconds)).padStart(7)}/s   p50 ${percentile(latencies, 0.5).toFixed(1)} ms   p99 ${percentile(latencies, 0.99).toFixed(1)} ms   processor ${costs}`,
  )
}

/** What the server's main thread and all its threads have used of the processors. */
function processorMs(): { readonly main: number; readonly all: number } {
  const used = (file: string): number => {
    const fields = readFileSync(file, 'utf8').split(') ')[1]!.split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10
  }
  const { pid } = running.server
  return { main: used(`/proc/${pid}/task/${pid}/stat`), all: used(`/proc/${pid}/stat`) }
}

function residentMb(pid: number): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1000)
}

const directory = mkdtempSync(join(tmpdir(), 'sampan-bench-api-'))
const program = join(directory, 'program')

interface Running {
  readonly server: ChildProcess
  readonly lines: Interface
  readonly load: LoadClient
  readonly startedInMs: number
}

async function start(): Promise<Running> {
  const beganMs = performance.now()
  const server = spawn(process.execPath, [...serverFlags, join(program, 'api-server.js'), directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...serverEnvironment, NODE_COMPILE_CACHE: join(directory, 'compiled') },
  })
  const lines = createInterface({ input: server.stdout })
  const [line] = (await once(lines, 'line')) as [string]
  const load = await LoadClient.open(JSON.parse(line) as Access, 64)
  await load.call('GET', '/readyz')
  const startedInMs = performance.now() - beganMs
  return { server, lines, load, startedInMs }
}

function note(what: string, value: number): void {
  results[what] = value
  console.error(`${what.padEnd(44)} ${String(value).padStart(7)}`)
}

/** Makes what later starts find: compiled code, as an earlier run leaves it. */
async function runOnce(): Promise<void> {
  running = await start()
  const { load, server } = running
  await load.call(
    'POST',
    '/api/v1/namespaces/default/serviceaccounts',
    JSON.stringify({ metadata: { name: 'default' } }),
  )
  for (let index = 0; index < 100; index++) {
    const path = `${podsPath}/pod-${index}`
    await load.call('POST', podsPath, pod(index))
    await load.call('GET', path)
    await load.call(
      'PATCH',
      path,
      JSON.stringify({ metadata: { annotations: { turn: 'first' } } }),
      'application/merge-patch+json',
    )
    await load.call('DELETE', `${path}?gracePeriodSeconds=0`)
  }
  await load.call('GET', podsPath)
  load.close()
  server.kill('SIGTERM')
  await once(server, 'exit')
  for (const name of readdirSync(directory)) if (name.startsWith('store.db')) rmSync(join(directory, name))
}

async function patchWhileWatched(watchers: number, { load }: Running): Promise<void> {
  let events = 0
  // That of the list comes first: there a watch begins that wants no initial events.
  const revision = /"resourceVersion":"(\d+)"/.exec(await load.read(`${podsPath}?limit=1`))![1]
  await Promise.all(
    Array.from({ length: watchers }, () =>
      load.watch(`${podsPath}?watch=true&resourceVersion=${revision}`, number => {
        events += number
      }),
    ),
  )
  const startMs = performance.now()
  await drive(`patch pods while ${watchers} watch`, 3000, 16, index =>
    load.call(
      'PATCH',
      `${podsPath}/pod-${index % count}`,
      JSON.stringify({ metadata: { annotations: { turn: `${watchers}-${index}` } } }),
      'application/merge-patch+json',
    ),
  )
  const wanted = 3000 * watchers
  for (let turn = 0; turn < 1000 && events < wanted; turn++) await sleep(10)
  const seconds = (performance.now() - startMs) / 1000
  if (events < wanted) throw new Error(`only ${events} of ${wanted} events came`)
  note(`events to ${watchers} watchers, per second`, Math.round(events / seconds))
  load.closeWatches()
}

/** The 99th percentile of how late the server's event loop ran, in milliseconds. */
async function eventLoopDelay({ load }: Running): Promise<number> {
  const metrics = await load.read('/metrics')
  return Math.round(Number(/sampan_event_loop_delay_seconds\{quantile="0.99"\} (\S+)/.exec(metrics)![1]) * 10_000) / 10
}

await bundle(
  {
    'api-server': join(import.meta.dirname, 'api-server.ts'),
    'sqlite-worker': join(import.meta.dirname, '../src/store/sqlite-worker.ts'),
  },
  program,
)
writeFileSync(join(program, 'package.json'), '{"type":"module"}')
let running!: Running
try {
  await runOnce()
  running = await start()
  note('start of an empty server, ms', Math.round(running.startedInMs))
  await sleep(11_000)
  note('resident MB idle', residentMb(running.server.pid!))
  const { load } = running
  await load.call(
    'POST',
    '/api/v1/namespaces/default/serviceaccounts',
    JSON.stringify({ metadata: { name: 'default' } }),
  )
  await drive('create pods, 64 at a time', count, 64, index => load.call('POST', podsPath, pod(index)))
  await drive('create ConfigMaps, one at a time', 1000, 1, index =>
    load.call(
      'POST',
      '/api/v1/namespaces/default/configmaps',
      JSON.stringify({ metadata: { name: `c-${index}` }, data: { key: 'value' } }),
    ),
  )
  await drive('get one pod, 64 at a time', 20_000, 64, index => load.call('GET', `${podsPath}/pod-${index % count}`))
  await drive(`list ${count} pods, 2 at a time`, Math.max(4, Math.ceil(300_000 / count)), 2, () =>
    load.call('GET', podsPath),
  )
  await drive(`list ${count / 10} of ${count} pods by label`, Math.max(10, Math.ceil(1_000_000 / count)), 2, index =>
    load.call('GET', `${podsPath}?labelSelector=app%3Dapp-${index % 10}`),
  )
  for (const watchers of [20, 50]) await patchWhileWatched(watchers, running)
  note('event loop delay p99, ms', await eventLoopDelay(running))
  note(`resident MB with ${count} pods after the load`, residentMb(running.server.pid!))
  load.close()
  running.server.kill('SIGKILL')
  running = await start()
  note(`start with ${count} pods, ms`, Math.round(running.startedInMs))
  note(`resident MB with ${count} pods after the start`, residentMb(running.server.pid!))
  const again = running.load
  await drive('create pods after a restart, 64 at a time', 5000, 64, index =>
    again.call('POST', podsPath, pod(count + index)),
  )
  await drive('get one pod after a restart, 64 at a time', 20_000, 64, index =>
    again.call('GET', `${podsPath}/pod-${index % count}`),
  )
  await drive('delete pods, 64 at a time', count, 64, index =>
    again.call('DELETE', `${podsPath}/pod-${index}?gracePeriodSeconds=0`),
  )
  note('resident MB after everything', residentMb(running.server.pid!))
  again.close()
} finally {
  running?.server.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
}
console.log(JSON.stringify(results, undefined, 2))
