// `npm start`: from a fresh machine to the geo example running in a cluster. Installs what is missing,
// starts the cluster if it is down, builds and delivers both services, calls them, and says what runs where.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pods as podResource } from '../src/api/resources.ts'
import { HttpClient } from '../src/client/http-client.ts'
import { clusterAccess, kubeconfigPaths } from '../src/client/kubeconfig.ts'
import { missingGateway, missingPackages } from '../src/host/cluster-programs.ts'
import { machineClock } from '../src/host/machine-clock.ts'
import { ensurePackages } from './debian-packages.ts'

const root = join(import.meta.dirname, '..')
const sampan = join(root, 'bin/sampan')
const context = 'sampan'
const environment = 'test'
const services = ['backend', 'frontend'].map(folder => {
  const directory = join('examples/geo', folder)
  const { name, version } = JSON.parse(readFileSync(join(root, directory, 'package.json'), 'utf8')) as {
    name: string
    version: string
  }
  return { directory, target: `${name}:${version}` }
})
const url = 'http://127.0.0.1:30080/distance?from=52.52,13.405&to=48.8566,2.3522'
const answerWithinMs = 15_000

function fail(message: string): never {
  console.error(`error: ${message}`)
  process.exit(1)
}

function run(...args: string[]): void {
  console.log(`\n$ bin/sampan ${args.join(' ')}`)
  const { status } = spawnSync(sampan, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

function clusterStatus(): { readonly running?: boolean; readonly gateway?: string } {
  const { stdout } = spawnSync(sampan, ['status', '-o', 'json'], { cwd: root, encoding: 'utf8' })
  try {
    return JSON.parse(stdout) as ReturnType<typeof clusterStatus>
  } catch {
    return {}
  }
}

/** Where the gateway leads to the frontend, as its app.yml says. */
function namedUrl(): string {
  const port = clusterStatus().gateway?.split(':')[1]
  return port === undefined ? 'nowhere: there is no HAProxy' : `http://geo.localhost${port === '80' ? '' : `:${port}`}`
}

async function call(): Promise<string> {
  const deadlineMs = Date.now() + answerWithinMs
  for (;;) {
    try {
      const response = await fetch(url)
      if (response.ok) return (await response.text()).trim()
      if (Date.now() > deadlineMs) return fail(`${url} answered ${response.status}: ${await response.text()}`)
    } catch (error) {
      if (Date.now() > deadlineMs) return fail(`${url} cannot be reached: ${(error as Error).message}`)
    }
    await new Promise(resolve => {
      setTimeout(resolve, 200)
    })
  }
}

async function podRows(): Promise<string[]> {
  const client = new HttpClient({
    access: clusterAccess(kubeconfigPaths(process.env), context),
    userAgent: 'sampan-start',
    clock: machineClock,
  })
  try {
    const { items } = await client.list(podResource, { namespace: environment })
    return items.map(
      ({ metadata, status }) =>
        `  ${metadata.name.padEnd(36)} ${(status.phase ?? '').padEnd(10)} ${status.podIP ?? ''}`,
    )
  } finally {
    client.close()
  }
}

const problem = ensurePackages(() => [...missingPackages(), ...missingGateway()])
if (problem !== undefined) fail(problem)
if (clusterStatus().running !== true) run('up')
for (const { directory } of services) run('build', directory, '--context', context)
for (const { directory, target } of services)
  run('deploy', '-e', environment, target, '-f', join(directory, 'app.yml'), '--context', context)
const answer = await call()
const rows = await podRows()

console.log(`
$ curl '${url}'
${answer}

What runs now:
  cluster    context "${context}" of kubectl; bin/sampan status
  frontend   http://127.0.0.1:30080, by name ${namedUrl()}
  pods in the namespace "${environment}":
${rows.join('\n')}

What to try next:
  kubectl --context ${context} get pods -A
  kubectl --context ${context} logs -n ${environment} deployment/geo-backend
  kubectl --context ${context} scale -n ${environment} deployment/geo-frontend --replicas 4
  change a file in examples/geo/frontend/src, then:
    bin/sampan build examples/geo/frontend --tag geo-frontend:1.0.1
    bin/sampan deploy -e ${environment} geo-frontend:1.0.1
    bin/sampan rollback -e ${environment} geo-frontend
  bin/sampan down            stops everything; --purge deletes the data too`)
