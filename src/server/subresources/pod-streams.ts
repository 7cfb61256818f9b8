// `pods/log`, `exec`, `attach` and `portforward`: finds the container, then lets the node agent and the
// client talk.
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ApiError, badRequest, invalid, notFound } from '../../api/api-error.ts'
import { forbiddenField, invalidValue, joinErrors, notSupported } from '../../api/field-error.ts'
import type { Pod } from '../../api/generated/models.ts'
import type {
  ContainerTarget,
  LogOptions,
  NodeStreams,
  RemoteSession,
  StreamOptions,
} from '../../streams/node-streams.ts'
import { servePortForward } from '../../streams/port-forward-server.ts'
import { serveRemoteCommand } from '../../streams/remote-command-server.ts'
import { acceptBytes, assertWantsBody } from '../../streams/websocket-body.ts'
import { current } from '../operations/read.ts'
import { hostAndPort } from '../outgoing/network-fault.ts'
import { refusedByAgent, unansweredGet, type Peers } from '../outgoing/peers.ts'
import { forwardRequest, forwardUpgrade } from '../outgoing/reverse-proxy.ts'
import { queryFlag } from '../query-flag.ts'
import { wholeNumber } from '../whole-number.ts'
import type { Target } from '../request.ts'
import type { ServerContext } from '../server-context.ts'
import {
  admitConnection,
  commandOptions,
  portForwardOptions,
  type CommandOptions,
  type PortForwardOptions,
} from './admit-connection.ts'
import type { SubresourceRoute, Upgrade } from './subresource.ts'

/** Which agent in this process runs the pods of a node; undefined: none. */
export type FindNodeStreams = (nodeName: string) => NodeStreams | undefined

export function podStreamRoutes(
  context: ServerContext,
  find: FindNodeStreams,
  peers: Peers,
): Record<'log' | 'exec' | 'attach' | 'portforward', SubresourceRoute> {
  const podOf = (target: Target): Pod => current(context, target).object as Pod

  function agentOf(pod: Pod): NodeStreams {
    const agent = find(pod.spec.nodeName!)
    if (agent === undefined)
      throw new ApiError(500, '', `error dialing backend: ${refusedByAgent(context.storage, pod.spec.nodeName!).text}`)
    return agent
  }

  function agentWithLogs(pod: Pod, container: string): NodeStreams {
    const agent = find(pod.spec.nodeName!)
    if (agent !== undefined) return agent
    const { address, text } = refusedByAgent(context.storage, pod.spec.nodeName!)
    throw unansweredGet(
      `https://${address}/containerLogs/${pod.metadata.namespace}/${pod.metadata.name}/${container}`,
      text,
    )
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

  /** @throws ApiError unless there is a pod to connect to */
  function scheduled(target: Target): Pod {
    const pod = podOf(target)
    assertScheduled(pod)
    return pod
  }

  type Asked = Pick<Upgrade, 'query' | 'caller'>
  type Open = (
    agent: NodeStreams,
    container: ContainerTarget,
    streams: StreamOptions,
    options: CommandOptions,
  ) => Promise<RemoteSession>

  function command(kind: 'PodExecOptions' | 'PodAttachOptions', open: Open): SubresourceRoute {
    async function prepare(
      target: Target,
      asked: Asked,
    ): Promise<{ pod: Pod; streams: StreamOptions; session: () => Promise<RemoteSession> }> {
      const options = await admitConnection(
        context,
        target,
        kind,
        commandOptions(asked.query, kind === 'PodExecOptions'),
        asked,
      )
      const pod = podOf(target)
      const container = containerTarget(pod, options.container)
      assertScheduled(pod)
      const streams = streamOptions(options)
      return { pod, streams, session: () => open(agentOf(pod), container, streams, options) }
    }
    return {
      async serve(exchange, target) {
        await prepare(target, exchange)
        throw badRequest('Upgrade request required')
      },
      async upgrade(upgrade, target) {
        const { pod, streams, session } = await prepare(target, upgrade)
        if (!(await passedOn(upgrade, pod)))
          await serveRemoteCommand(upgrade.request, upgrade.socket, upgrade.head, session, streams)
      },
    }
  }

  /** @throws ApiError unless the log can be asked for; `stream` is empty for a pod that is nowhere yet */
  function preparedLog(target: Target, query: URLSearchParams): { pod: Pod; stream: () => Promise<Readable> } {
    const options = logOptions(query, target.name)
    const pod = podOf(target)
    const container = containerTarget(pod, query.get('container') ?? undefined)
    const stream = async (): Promise<Readable> =>
      pod.spec.nodeName
        ? await agentWithLogs(pod, container.container).logs(container, options)
        : Readable.from([], { objectMode: false })
    return { pod, stream }
  }

  return {
    log: {
      methods: ['GET'],
      async serve({ request, query, response, caller }, target) {
        const { pod, stream } = preparedLog(target, query)
        const peer = pod.spec.nodeName && peers.destination(request, pod.spec.nodeName, caller.user)
        if (peer)
          return forwardRequest(request, response, {
            ...peer,
            unanswered: why => unansweredGet(`https://${hostAndPort(peer.host, peer.port)}${peer.path}`, why),
          })
        const log = await stream()
        response.writeHead(200, { 'Content-Type': 'text/plain' })
        response.flushHeaders()
        await passAll(log, response)
      },
      async upgrade(upgrade, target) {
        assertWantsBody(upgrade.request)
        const { pod, stream } = preparedLog(target, upgrade.query)
        if (pod.spec.nodeName && (await passedOn(upgrade, pod))) return
        const log = await stream()
        await passAll(log, acceptBytes(upgrade))
      },
    },
    exec: command('PodExecOptions', (agent, container, streams, options) =>
      agent.exec(container, options.command ?? [], streams),
    ),
    attach: command('PodAttachOptions', (agent, container, streams) => agent.attach(container, streams)),
    portforward: portForward(),
  }

  function portForward(): SubresourceRoute {
    const admitted = (target: Target, asked: Asked): Promise<PortForwardOptions> =>
      admitConnection(context, target, 'PodPortForwardOptions', portForwardOptions(asked.query), asked)
    return {
      async serve(exchange, target) {
        await admitted(target, exchange)
        scheduled(target)
        throw badRequest('Upgrade request required')
      },
      async upgrade(upgrade, target) {
        const { ports = [] } = await admitted(target, upgrade)
        const pod = scheduled(target)
        if (await passedOn(upgrade, pod)) return
        const { namespace = '', name, uid } = pod.metadata
        const agent = agentOf(pod)
        await servePortForward(upgrade.request, upgrade.socket, upgrade.head, ports, port =>
          agent.portForward({ namespace, pod: name, podUid: uid }, port),
        )
      },
    }
  }
}

/** A client that stops reading is no fault. */
async function passAll(source: Readable, sink: Writable): Promise<void> {
  await pipeline(source, sink).catch(() => source.destroy())
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
  throw badRequest(
    `a container name must be specified for pod ${metadata.name}, choose one of: [${regular.join(' ')}]${inits}`,
  )
}

function streamOptions({ stdin = false, stdout = false, stderr = false, tty = false }: CommandOptions): StreamOptions {
  const options = { stdin, stdout, stderr: stderr && !tty, tty }
  if (!options.stdin && !options.stdout && !options.stderr)
    throw badRequest('you must specify at least 1 of stdin, stdout, stderr')
  return options
}

type LogStream = NonNullable<LogOptions['stream']>
const isLogStream = (text: string): text is LogStream => ['All', 'Stderr', 'Stdout'].includes(text)

/** @throws ApiError BadRequest, Invalid */
function logOptions(query: URLSearchParams, pod: string): LogOptions {
  const whole = (name: string): number | undefined => {
    const text = query.get(name)
    return text === null || text === '' ? undefined : wholeNumber(text)
  }
  const [tailLines, limitBytes, sinceSeconds] = [whole('tailLines'), whole('limitBytes'), whole('sinceSeconds')]
  const sinceTime = query.get('sinceTime') ?? undefined
  const stream = query.get('stream') ?? 'All'
  const problems = joinErrors(
    tailLines === undefined || tailLines >= 0
      ? []
      : [invalidValue('tailLines', tailLines, 'must be greater than or equal to 0')],
    limitBytes === undefined || limitBytes > 0
      ? []
      : [invalidValue('limitBytes', limitBytes, 'must be greater than 0')],
    sinceSeconds === undefined || sinceTime === undefined
      ? []
      : [forbiddenField('', 'at most one of `sinceTime` or `sinceSeconds` may be specified')],
    sinceSeconds === undefined || sinceTime !== undefined || sinceSeconds > 0
      ? []
      : [invalidValue('sinceSeconds', sinceSeconds, 'must be greater than 0')],
    isLogStream(stream) ? [] : [notSupported('stream', stream, ['All', 'Stderr', 'Stdout'])],
    stream === 'All' || tailLines === undefined
      ? []
      : [forbiddenField('', '`tailLines` and specific `stream` are mutually exclusive for now')],
  )
  if (problems.length > 0 || !isLogStream(stream)) throw invalid('', 'PodLogOptions', pod, problems)
  return {
    ...(stream !== 'All' && { stream }),
    follow: queryFlag(query, 'follow'),
    previous: queryFlag(query, 'previous'),
    timestamps: queryFlag(query, 'timestamps'),
    ...(sinceSeconds !== undefined && { sinceSeconds }),
    ...(sinceTime !== undefined && { sinceTime }),
    ...(tailLines !== undefined && { tailLines }),
    ...(limitBytes !== undefined && { limitBytes }),
  }
}
