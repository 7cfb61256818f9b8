// `sampan status`: whether the cluster runs, where, and how it is. Exit code 0 when it runs and its node
// is Ready, 3 when it is down or not Ready.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Pod } from '../../api/generated/models.ts'
import { nodes, pods } from '../../api/resources.ts'
import { HttpClient } from '../../client/http-client.ts'
import { kubeconfigPaths, rememberedCluster } from '../../client/kubeconfig.ts'
import { startCommand } from '../../client/start-command.ts'
import { commandClock } from '../../host/machine-clock.ts'
import { connectControl, type ServerFacts } from '../control-socket.ts'
import { CommandFailure } from '../../cli/output.ts'
import { ownTokenText } from '../cluster-identity.ts'
import { knownFacts, placesOf, type ClusterPlaces } from '../data-directory.ts'
import { everywhere } from '../node-port-ranges.ts'
import { refuseOfRoot, withName } from '../roots-cluster.ts'
import { rememberedStore } from '../open-store.ts'

export interface StatusOptions {
  readonly name: string
  readonly dataDir?: string
  readonly output?: 'json'
  readonly joinToken?: boolean
}

const notRunning = 3

export async function status(options: StatusOptions): Promise<void> {
  const places = placesOf(options.name, options.dataDir)
  await refuseOfRoot(options.name, withName('sampan status', options.name))
  if (options.joinToken === true) return printToken(places)
  const running = await connectControl(places.controlSocket)
  running?.close()
  if (running === undefined) {
    const known = rememberedCluster(kubeconfigPaths(process.env), options.name)
    const dataDirectory = options.dataDir === undefined ? known?.dataDirectory : places.data
    if (options.output === 'json') console.log(JSON.stringify({ name: options.name, running: false }))
    else console.log(`cluster "${options.name}" is down; start it with: ${startCommand(options.name, dataDirectory)}`)
    process.exitCode = notRunning
    return
  }
  const state = await observe(running.facts, places.keys, knownFacts(places)?.nodeName)
  if (options.output === 'json')
    console.log(JSON.stringify({ name: options.name, running: true, ...running.facts, ...state }))
  else {
    const rows: [string, string][] = [
      ['cluster', `${options.name}, Sampan ${running.facts.version}`],
      ['API', running.facts.url],
      ['registry', registryText(running.facts)],
      ['gateway', gatewayText(running.facts)],
      ['ports', `node ports and host ports answer ${whereOf(running.facts.nodePortAddresses)}`],
      ['node', `${state.node} ${state.ready ? 'Ready' : 'NotReady'}`],
      ['pods', `${state.pods.running} running of ${state.pods.total}`],
      [
        'server',
        `pid ${running.facts.pid}, ${Math.round(state.memoryBytes / 1e6)} MB, since ${running.facts.startedAt}`,
      ],
      ['data', running.facts.dataDirectory],
      ...running.facts.warnings.map((text): [string, string] => ['warning', text]),
    ]
    for (const [name, value] of rows) console.log(`${name.padEnd(9)}${value}`)
  }
  if (!state.ready) process.exitCode = notRunning
}

const registryText = ({ registry, secureRegistry }: ServerFacts): string =>
  `${registry} (images named sampan.local/NAME)${secureRegistry === undefined ? '' : `, from elsewhere ${secureRegistry}`}`

const gatewayText = ({ gateway, secureGateway }: ServerFacts): string =>
  gateway === undefined
    ? 'none; it needs HAProxy: apt-get install haproxy'
    : [gateway, ...(secureGateway === undefined ? [] : [`${secureGateway} (TLS)`])].join(', ')

const whereOf = (ranges: readonly string[]): string =>
  ranges.includes(everywhere) ? 'on every address of this machine' : `on its addresses in ${ranges.join(', ')}`

function printToken(places: ClusterPlaces): void {
  const store = rememberedStore(places)
  if (store === undefined)
    throw new CommandFailure(
      `there is no cluster "${places.name}" in ${places.data}; start one with: sampan up --store etcd=...`,
    )
  if (store.store === 'sqlite')
    throw new CommandFailure(
      `the cluster "${places.name}" keeps its objects in SQLite, which one server has for itself; only servers on one etcd can join each other (sampan up --store etcd=...)`,
    )
  const token = ownTokenText(places)
  if (token === undefined)
    throw new CommandFailure(`the cluster "${places.name}" has no token yet; it gets one at its next start: sampan up`)
  console.log(token)
}

async function observe(
  facts: ServerFacts,
  keys: string,
  nodeName: string | undefined,
): Promise<{ node: string; ready: boolean; pods: { total: number; running: number }; memoryBytes: number }> {
  const read = (name: string): string => readFileSync(join(keys, name), 'utf8')
  const access = {
    context: '',
    server: facts.url,
    namespace: 'default',
    authority: read('ca.crt'),
    certificate: read('admin.crt'),
    key: read('admin.key'),
    skipVerification: false,
  }
  const client = new HttpClient({ access, userAgent: 'sampan', clock: commandClock })
  try {
    const [nodeList, podList] = await Promise.all([client.list(nodes), client.list(pods)])
    const node = nodeList.items.find(({ metadata }) => metadata.name === nodeName)
    const ready = node?.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
    const runningPods = podList.items.filter((pod: Pod) => pod.status.phase === 'Running').length
    return {
      node: node?.metadata.name ?? 'none',
      ready,
      pods: { total: podList.items.length, running: runningPods },
      memoryBytes: residentBytes(facts.pid),
    }
  } finally {
    client.close()
  }
}

function residentBytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}
