// `pods/log`, `exec`, `attach` and `portforward`: finds the container, then lets the node agent and the
// client talk.
import { pipeline } from 'node:stream/promises'
import { ApiError, badRequest, invalid, notFound } from '../../api/api-error.ts'
import { forbiddenField, notSupported } from '../../api/field-error.ts'
import type { Pod } from '../../api/generated/models.ts'
import type { ContainerTarget, LogOptions, NodeStreams, StreamOptions } from '../../streams/node-streams.ts'
import { servePortForward } from '../../streams/port-forward-server.ts'
import { serveRemoteCommand } from '../../streams/remote-command-server.ts'
import { admitPosted } from '../admission/admission.ts'
import { current } from '../operations/read.ts'
import { hostAndPort } from '../outgoing/network-fault.ts'
import { refusedByAgent, unansweredGet, type Peers } from '../outgoing/peers.ts'
import { forwardRequest, forwardUpgrade } from '../outgoing/reverse-proxy.ts'
import type { Target } from '../request.ts'
import type { ServerContext } from '../server-context.ts'
import type { SubresourceRoute, Upgrade } from './subresource.ts'

/** Which agent in this process runs the pods of a node; undefined: none. */
export type FindNodeStreams = (nodeName: string) => NodeStreams | undefined

export function podStreamRoutes(context: ServerContext, find: FindNodeStreams, peers: Peers): Record<'log' | 'exec' | 'attach' | 'portforward', SubresourceRoute> {
  const podOf = (target: Target): Pod => current(context, target).object as Pod

  function agentOf(pod: Pod): NodeStreams {
    const agent = find(pod.spec.nodeName!)
    if (agent === undefined) throw new ApiError(500, '', `error dialing backend: ${refusedByAgent(context.storage, pod.spec.nodeName!).text}`)
    return agent
  }

  function agentWithLogs(pod: Pod, container: string): NodeStreams {
    const agent = find(pod.spec.nodeName!)
    if (agent !== undefined) return agent
    const { address, text } = refusedByAgent(context.storage, pod.spec.nodeName!)
    throw unansweredGet(`https://${address}/containerLogs/${pod.metadata.namespace}/${pod.metadata.name}/${container}`, text)
  }

  /** True when the server of the pod's node goes on with it. */
  async function passedOn({ request, socket, head, caller }: Upgrade, { spec }: Pod): Promise<boolean> {
    const peer = peers.destination(request, spec.nodeName!, caller.user)
    if (peer !== undefined) await forwardUpgrade(request, socket, head, peer)
    return peer !== undefined
  }

  function assertScheduled(pod: Pod): void {
    if (!pod.spec.nodeName) throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`)
  }

  const admitConnection = (kind: string, target: Target, { query, caller }: Upgrade, options: object): Promise<object> =>
    admitPosted(context, 'CONNECT', target, { kind, apiVersion: 'v1', ...options, ...(query.has('container') && { container: query.get('container') }) }, caller)

  const command = (kind: string, open: (agent: NodeStreams, container: ContainerTarget, upgrade: Upgrade, options: StreamOptions) => ReturnType<NodeStreams['attach']>): SubresourceRoute => ({
    async serve() {
      throw badRequest('Upgrade request required')
    },
    async upgrade(upgrade, target) {
      const pod = podOf(target)
      assertScheduled(pod)
      const container = containerTarget(pod, upgrade.query.get('container') ?? undefined)
      const options = streamOptions(upgrade.query)
      await admitConnection(kind, target, upgrade, { ...options, ...(upgrade.query.has('command') && { command: upgrade.query.getAll('command') }) })
      if (!await passedOn(upgrade, pod)) await serveRemoteCommand(upgrade.request, upgrade.socket, upgrade.head, () => open(agentOf(pod), container, upgrade, options), options)
    },
  })

  return {
    log: {
      async serve({ request, query, response, caller }, target) {
        const pod = podOf(target)
        const container = containerTarget(pod, query.get('container') ?? undefined)
        const options = logOptions(query)
        if (!pod.spec.nodeName) {
          response.writeHead(200, { 'Content-Type': 'text/plain' }).end()
          return
        }
        const peer = peers.destination(request, pod.spec.nodeName, caller.user)
        if (peer !== undefined) return forwardRequest(request, response, { ...peer, unanswered: why => unansweredGet(`https://${hostAndPort(peer.host, peer.port)}${peer.path}`, why) })
        const stream = await agentWithLogs(pod, container.container).logs(container, options)
        response.writeHead(200, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-cache, private' })
        response.flushHeaders()
        // A client that stops reading is no fault.
        await pipeline(stream, response).catch(() => stream.destroy())
      },
    },
    exec: command('PodExecOptions', (agent, container, { query }, options) => agent.exec(container, query.getAll('command'), options)),
    attach: command('PodAttachOptions', (agent, container, _upgrade, options) => agent.attach(container, options)),
    portforward: {
      async serve() {
        throw badRequest('Upgrade request required')
      },
      async upgrade(upgrade, target) {
        const { request, socket, head, query } = upgrade
        const pod = podOf(target)
        assertScheduled(pod)
        await admitConnection('PodPortForwardOptions', target, upgrade, query.has('ports') ? { ports: query.getAll('ports').map(Number) } : {})
        if (await passedOn(upgrade, pod)) return
        const { namespace = '', name, uid } = pod.metadata
        const agent = agentOf(pod)
        await servePortForward(request, socket, head, port => agent.portForward({ namespace, pod: name, podUid: uid }, port))
      },
    },
  }
}

function containerTarget(pod: Pod, asked: string | undefined): ContainerTarget {
  const { namespace = '', name, uid } = pod.metadata
  return { namespace, pod: name, podUid: uid, container: containerName(pod, asked) }
}

function containerName({ metadata, spec }: Pod, asked: string | undefined): string {
  const regular = spec.containers.map(container => container.name)
  const initial = (spec.initContainers ?? []).map(container => container.name)
  const ephemeral = (spec.ephemeralContainers ?? []).map(container => container.name)
  if (asked !== undefined && asked !== '') {
    if ([...regular, ...initial, ...ephemeral].includes(asked)) return asked
    throw badRequest(`container ${asked} is not valid for pod ${metadata.name}`)
  }
  if (regular.length === 1) return regular[0]!
  if (regular.length === 0) throw notFound({ group: '', plural: 'containers' }, metadata.name)
  const inits = initial.length > 0 ? ` or one of the init containers: [${initial.join(' ')}]` : ''
  throw badRequest(`a container name must be specified for pod ${metadata.name}, choose one of: [${regular.join(' ')}]${inits}`)
}

const isTrue = (query: URLSearchParams, name: string): boolean => ['true', '1'].includes(query.get(name) ?? '')

function streamOptions(query: URLSearchParams): StreamOptions {
  const tty = isTrue(query, 'tty')
  const options = { stdin: isTrue(query, 'stdin'), stdout: isTrue(query, 'stdout'), stderr: isTrue(query, 'stderr') && !tty, tty }
  if (!options.stdin && !options.stdout && !options.stderr) throw badRequest('you must specify at least 1 of stdin, stdout, stderr')
  return options
}

type LogStream = NonNullable<LogOptions['stream']>
const isLogStream = (text: string): text is LogStream => ['All', 'Stderr', 'Stdout'].includes(text)

function logOptions(query: URLSearchParams): LogOptions {
  const whole = (name: string): number | undefined => {
    const text = query.get(name)
    if (text === null || text === '') return undefined
    const value = Number(text)
    if (!Number.isSafeInteger(value) || value < 0) throw badRequest(`${name}: Invalid value: "${text}": must be a whole number of at least 0`)
    return value
  }
  const sinceTime = query.get('sinceTime') ?? undefined
  const stream = query.get('stream') ?? 'All'
  if (!isLogStream(stream)) throw invalid('', 'PodLogOptions', '', [notSupported('stream', stream, ['All', 'Stderr', 'Stdout'])])
  if (stream !== 'All' && whole('tailLines') !== undefined) throw invalid('', 'PodLogOptions', '', [forbiddenField('', '`tailLines` and specific `stream` are mutually exclusive for now')])
  return {
    ...(stream !== 'All' && { stream }),
    follow: isTrue(query, 'follow'),
    previous: isTrue(query, 'previous'),
    timestamps: isTrue(query, 'timestamps'),
    ...(whole('sinceSeconds') !== undefined && { sinceSeconds: whole('sinceSeconds')! }),
    ...(sinceTime !== undefined && { sinceTime }),
    ...(whole('tailLines') !== undefined && { tailLines: whole('tailLines')! }),
    ...(whole('limitBytes') !== undefined && { limitBytes: whole('limitBytes')! }),
  }
}
