// What the kubelet answers at its own port, for `nodes/proxy`: the API server asks the agent of its own
// process. Source: pkg/kubelet/server.
import { createReadStream } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { ApiError, notFound } from '../api/api-error.ts'
import type { Pod } from '../api/generated/models.ts'
import { pods } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import type { ContainerStats, Runtime } from '../cri/runtime.ts'
import { formatTime } from '../lib/clock.ts'
import type { ContainerTarget, LogOptions, NodeAnswer } from '../streams/node-streams.ts'
import { labelNames } from './sandbox-config.ts'

export interface NodeEndpointsOptions {
  readonly client: Client
  readonly runtime: Runtime
  readonly nodeName: string
  readonly maximumPods: number
  readonly logs: (target: ContainerTarget, options: LogOptions) => Promise<Readable>
  readonly now: () => number
}

const logDirectory = '/var/log'
const plain = 'text/plain; charset=utf-8'
const json = (value: object): NodeAnswer => ({
  status: 200,
  contentType: 'application/json',
  body: JSON.stringify(value),
})
const missing: NodeAnswer = { status: 404, contentType: plain, body: '404 page not found\n' }

export function nodeEndpoint(
  options: NodeEndpointsOptions,
): (path: string, query: URLSearchParams) => Promise<NodeAnswer> {
  const { client, runtime, nodeName, maximumPods, now } = options
  const podsHere = (): Pod[] =>
    client
      .informer(pods)
      .list()
      .filter(({ spec }) => spec.nodeName === nodeName)

  return async function answer(path, query) {
    const [first = '', ...rest] = path
      .split('/')
      .filter(segment => segment !== '')
      .map(decoded)
    switch (first) {
      case 'pods':
        return json({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items: podsHere() })
      case 'runningpods':
        return json({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items: await runningPods(runtime) })
      case 'healthz':
        return await runtime.ready().then(
          () => ({ status: 200, contentType: plain, body: 'ok' }),
          (error: unknown) => ({ status: 500, contentType: plain, body: (error as Error).message }),
        )
      case 'metrics':
        return rest.length > 0
          ? missing
          : {
              status: 200,
              contentType: 'text/plain; version=0.0.4; charset=utf-8',
              body: metrics(podsHere(), await runtime.containerStats()),
            }
      case 'stats':
        return rest[0] === 'summary'
          ? json(summary(nodeName, podsHere(), await runtime.containerStats(), now()))
          : missing
      case 'configz':
        return json({
          kubeletconfig: {
            kind: 'KubeletConfiguration',
            apiVersion: 'kubelet.config.k8s.io/v1beta1',
            maxPods: maximumPods,
            enableServer: false,
          },
        })
      case 'logs':
        return await logFile(rest)
      case 'containerLogs':
        return rest.length === 3
          ? { status: 200, contentType: 'text/plain', body: await options.logs(targetOf(rest), logQuery(query)) }
          : missing
      default:
        return missing
    }
  }

  function targetOf([namespace = '', pod = '', container = '']: readonly string[]): ContainerTarget {
    const found = client.informer(pods).get({ namespace, name: pod })
    if (found === undefined || found.spec.nodeName !== nodeName) throw notFound(pods, pod)
    return { namespace, pod, podUid: found.metadata.uid, container }
  }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    // Not encoded at all, then.
    return segment
  }
}

/** What the query of `/containerLogs` says; the API server has its own, stricter reading. */
function logQuery(query: URLSearchParams): LogOptions {
  const number = (name: string): number | undefined =>
    /^\d+$/.test(query.get(name) ?? '') ? Number(query.get(name)) : undefined
  const [tailLines, limitBytes, sinceSeconds] = [number('tailLines'), number('limitBytes'), number('sinceSeconds')]
  return {
    follow: query.get('follow') === 'true',
    previous: query.get('previous') === 'true',
    timestamps: query.get('timestamps') === 'true',
    ...(tailLines !== undefined && { tailLines }),
    ...(limitBytes !== undefined && { limitBytes }),
    ...(sinceSeconds !== undefined && { sinceSeconds }),
  }
}

async function runningPods(runtime: Runtime): Promise<object[]> {
  const containers = (await runtime.listContainers()).filter(({ state }) => state === 'running')
  const byPod = Map.groupBy(containers, ({ labels }) => labels[labelNames.podUid] ?? '')
  return [...byPod.values()].map(group => {
    const { labels } = group[0]!
    return {
      metadata: {
        name: labels[labelNames.podName],
        namespace: labels[labelNames.podNamespace],
        uid: labels[labelNames.podUid],
      },
      spec: { containers: group.map(container => ({ name: container.labels[labelNames.container] })) },
      status: {},
    }
  })
}

function metrics(here: readonly Pod[], stats: readonly ContainerStats[]): string {
  const gauge = (name: string, help: string, lines: readonly string[]): string =>
    `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('\n')}\n`
  const of = ({ labels }: ContainerStats): string =>
    `{container="${labels[labelNames.container]}",namespace="${labels[labelNames.podNamespace]}",pod="${labels[labelNames.podName]}"}`
  return [
    gauge('kubelet_running_pods', 'Number of pods that have a running pod sandbox', [
      `kubelet_running_pods ${here.filter(({ status }) => status?.phase === 'Running').length}`,
    ]),
    gauge('kubelet_running_containers', 'Number of currently running containers', [
      `kubelet_running_containers{container_state="running"} ${stats.length}`,
    ]),
    gauge(
      'container_memory_working_set_bytes',
      'Current working set of the container in bytes',
      stats.map(each => `container_memory_working_set_bytes${of(each)} ${each.memoryWorkingSetBytes}`),
    ),
    gauge(
      'container_cpu_usage_seconds_total',
      'Cumulative cpu time consumed by the container in core-seconds',
      stats.map(each => `container_cpu_usage_seconds_total${of(each)} ${each.cpuUsageNanoSeconds / 1e9}`),
    ),
  ].join('')
}

function summary(nodeName: string, here: readonly Pod[], stats: readonly ContainerStats[], nowMs: number): object {
  const sum = (some: readonly ContainerStats[]): object => ({
    cpu: {
      time: formatTime(nowMs),
      usageCoreNanoSeconds: some.reduce((total, each) => total + each.cpuUsageNanoSeconds, 0),
    },
    memory: {
      time: formatTime(nowMs),
      workingSetBytes: some.reduce((total, each) => total + each.memoryWorkingSetBytes, 0),
      usageBytes: some.reduce((total, each) => total + each.memoryUsageBytes, 0),
      rssBytes: some.reduce((total, each) => total + each.memoryRssBytes, 0),
    },
  })
  const byPod = Map.groupBy(stats, ({ labels }) => labels[labelNames.podUid] ?? '')
  return {
    node: { nodeName, ...sum(stats) },
    pods: here
      .filter(({ metadata }) => byPod.has(metadata.uid))
      .map(({ metadata, status }) => {
        const own = byPod.get(metadata.uid)!
        return {
          podRef: { name: metadata.name, namespace: metadata.namespace, uid: metadata.uid },
          startTime: status?.startTime,
          containers: own.map(each => ({ name: each.labels[labelNames.container], ...sum([each]) })),
          ...sum(own),
        }
      }),
  }
}

/** The machine's logs, and nothing outside their directory. */
async function logFile(path: readonly string[]): Promise<NodeAnswer> {
  try {
    const file = await realpath(join(logDirectory, ...path.filter(segment => segment !== '..')))
    if (file !== logDirectory && !file.startsWith(`${logDirectory}/`)) return missing
    if (!(await stat(file)).isDirectory()) return { status: 200, contentType: plain, body: createReadStream(file) }
    const names = await readdir(file, { withFileTypes: true })
    const lines = names
      .map(entry => `${entry.name}${entry.isDirectory() ? '/' : ''}`)
      .sort()
      .map(name => `<a href="${encodeURI(name)}">${name.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</a>\n`)
    return { status: 200, contentType: 'text/html; charset=utf-8', body: `<pre>\n${lines.join('')}</pre>\n` }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return missing
    throw new ApiError(500, 'InternalError', (error as Error).message)
  }
}
