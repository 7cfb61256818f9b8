// What a delivery costs, beside what Kubernetes itself takes: one cluster in a network namespace of its own, each figure
// measured once, so that `node bench/medians.ts 5 bench/delivery.ts` gives medians of fresh ones. Parts, all of them when
// none is named: help, ps, overhead, hundred, crowd. Needs root and the programs that the end-to-end tests need.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ClusterFixture, folder, sampanProgram, succeeded, type Result } from '../src/testing/cluster-fixture.ts'
import { crowd, saysItsVersion, writeCrowd } from '../src/testing/crowd.ts'

const parts = { help, ps, overhead, hundred, crowd: crowdReady }
const chosen = Object.entries(parts).filter(([name]) => process.argv.includes(name))
const figures: Record<string, number> = {}

async function timed(what: string, work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  await work()
  figures[what] = Math.round(performance.now() - startMs)
  return figures[what]
}

const sampan = async (cluster: ClusterFixture, directory: string, ...args: string[]): Promise<Result> =>
  succeeded(await cluster.run(sampanProgram, args, { directory, timeoutMs: 300_000 }))

/** What is compiled once is compiled before. */
async function help(cluster: ClusterFixture): Promise<void> {
  await sampan(cluster, cluster.directory, '--help')
  await timed('sampan --help', () => sampan(cluster, cluster.directory, '--help'))
}

const small = (name: string, more: string): string => `name: ${name}
image: sampan.local/busybox
stopSeconds: 1
security: { user: 65534 }
ports: { http: 8080 }
health: { http: / }
command: ["sh", "-c", '${saysItsVersion}']
${more}
`

/** The folder of a service. */
function project(cluster: ClusterFixture, name: string, more: string): string {
  const directory = folder(cluster.directory, name)
  writeFileSync(join(directory, 'app.yml'), small(name, more))
  return directory
}

async function ps(cluster: ClusterFixture): Promise<void> {
  const directory = project(cluster, 'seen', 'replicas: 2')
  await sampan(cluster, directory, 'deploy', '-e', 'seen', 'seen:1.0.0')
  await sampan(cluster, directory, 'ps', '-e', 'seen')
  await timed('sampan ps', () => sampan(cluster, directory, 'ps', '-e', 'seen'))
}

interface Objects {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly labels: object }
    readonly spec: object
  }[]
}

/** The same objects with kubectl in another namespace, each with an image that is there already. */
async function overhead(cluster: ClusterFixture): Promise<void> {
  const directory = project(cluster, 'one', 'replicas: 2')
  await sampan(cluster, directory, 'deploy', '-e', 'first', 'one:1.0.0')
  const { items } = await cluster.json<Objects>('get', 'deployments,services,poddisruptionbudgets', '-n', 'first')
  const objects = {
    apiVersion: 'v1',
    kind: 'List',
    items: items.map(({ metadata: { name, labels }, spec, ...object }) => ({
      ...object,
      status: undefined,
      metadata: { name, labels, namespace: 'second' },
      spec: { ...spec, clusterIP: undefined, clusterIPs: undefined },
    })),
  }
  await cluster.show('create', 'namespace', 'second')
  await cluster.show('create', 'namespace', 'third')
  const kubectl = await timed('kubectl apply and rollout status', async () => {
    succeeded(await cluster.kubectlWith(objects, 'apply'))
    await cluster.show('rollout', 'status', 'deployment/one', '-n', 'second')
  })
  const ours = await timed('sampan deploy of the same', () =>
    sampan(cluster, directory, 'deploy', '-e', 'third', 'one:1.0.0'),
  )
  figures['overhead of sampan deploy'] = ours - kubectl
}

/** Without instances, whose start is not what is measured. */
async function hundred(cluster: ClusterFixture): Promise<void> {
  const directory = folder(cluster.directory, 'hundred')
  const names = Array.from({ length: 100 }, (_none, index) => `service-${index}`)
  writeFileSync(
    join(directory, 'sampan.yml'),
    `services: { ${names.map(name => `${name}: {}`).join(', ')} }\nenvironments: { hundred: {} }\n`,
  )
  for (const name of names) {
    const place = folder(directory, name)
    writeFileSync(join(place, 'app.yml'), small(name, 'replicas: 0'))
    writeFileSync(join(place, 'package.json'), JSON.stringify({ name, version: '1.0.0' }))
  }
  await timed('deploy of 100 services without instances', () =>
    sampan(cluster, directory, 'deploy', '-e', 'hundred', '--timeout', '300'),
  )
  await timed('plan of 100 services', () => sampan(cluster, directory, 'deploy', '-e', 'hundred', '--dry-run'))
  await timed('diff of 100 services', () => sampan(cluster, directory, 'diff', '-e', 'hundred'))
}

async function crowdReady(cluster: ClusterFixture): Promise<void> {
  const directory = await writeCrowd(cluster)
  await timed(`${crowd.containers} containers Ready`, () =>
    sampan(cluster, directory, 'deploy', '-e', crowd.environments.join(',')),
  )
}

const cluster = await ClusterFixture.up('bench')
try {
  await cluster.pushBusybox('1.0.0')
  for (const [, measure] of chosen.length > 0 ? chosen : Object.entries(parts)) await measure(cluster)
} finally {
  await cluster.close()
}
console.log(JSON.stringify(figures, undefined, 2))
