// One check of a container: HTTP, TCP, gRPC or a command inside. Never throws; failing is a result with
// the kubelet's words.
import { Client as GrpcClient, credentials, Metadata } from '@grpc/grpc-js'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import type { Container, HTTPGetAction, LifecycleHandler, Probe } from '../api/generated/models.ts'
import { isRuntimeTimeout, type Runtime } from '../cri/runtime.ts'
import { expand } from './expand.ts'

export interface ProbeResult {
  readonly ok: boolean
  readonly message: string
}

export interface ProbeTarget {
  readonly runtime: Runtime
  readonly containerId: string
  readonly container: Container
  readonly address: string
}

const success: ProbeResult = { ok: true, message: '' }
const failure = (message: string): ProbeResult => ({ ok: false, message })
const outputLimit = 10_240
const redirectLimit = 10

export async function runProbe(probe: Probe, target: ProbeTarget): Promise<ProbeResult> {
  const timeoutSeconds = probe.timeoutSeconds ?? 1
  const timeoutMs = timeoutSeconds * 1_000
  const { address, container } = target
  if (probe.exec !== undefined) return await execProbe(target, expanded(probe.exec.command, container), timeoutSeconds)
  if (probe.httpGet !== undefined)
    return await httpProbe(urlOf(probe.httpGet, container, address), probe.httpGet, timeoutMs)
  if (probe.tcpSocket !== undefined)
    return await tcpProbe(probe.tcpSocket.host ?? address, portOf(probe.tcpSocket.port, container), timeoutMs)
  if (probe.grpc !== undefined) return await grpcProbe(address, probe.grpc.port, probe.grpc.service ?? '', timeoutMs)
  return success
}

/** As the kubelet does, for probes and not for hooks: a variable whose value comes from elsewhere is empty here. */
const expanded = (command: readonly string[] | undefined, { env = [] }: Container): string[] => {
  const values = new Map(env.map(({ name, value = '' }) => [name, value]))
  return (command ?? []).map(word => expand(word, name => values.get(name)))
}

/** @throws Error with the reason the hook failed */
export async function runHook(
  handler: LifecycleHandler,
  target: ProbeTarget,
  limitMs: number,
  sleep: (milliseconds: number) => Promise<void>,
): Promise<void> {
  if (handler.sleep !== undefined) return await sleep(Math.min(limitMs, Number(handler.sleep.seconds) * 1_000))
  const result =
    handler.exec !== undefined
      ? await execProbe(target, handler.exec.command ?? [], limitMs / 1_000)
      : await networkHook(handler, target, limitMs)
  if (!result.ok) throw new Error(result.message)
}

async function networkHook(
  handler: LifecycleHandler,
  { container, address }: ProbeTarget,
  limitMs: number,
): Promise<ProbeResult> {
  if (handler.httpGet !== undefined)
    return await httpProbe(urlOf(handler.httpGet, container, address), handler.httpGet, limitMs, 'kube-lifecycle')
  if (handler.tcpSocket !== undefined)
    return await tcpProbe(handler.tcpSocket.host ?? address, portOf(handler.tcpSocket.port, container), limitMs)
  return success
}

async function execProbe(
  { runtime, containerId }: ProbeTarget,
  command: readonly string[],
  timeoutSeconds: number,
): Promise<ProbeResult> {
  try {
    const { exitCode, stdout, stderr } = await runtime.execSync(
      containerId,
      command,
      Math.max(1, Math.ceil(timeoutSeconds)),
    )
    return exitCode === 0 ? success : failure(Buffer.concat([stdout, stderr]).toString('utf8', 0, outputLimit))
  } catch (error) {
    return failure(
      isRuntimeTimeout(error)
        ? `command timed out: "${command.join(' ')}" timed out after ${timeoutSeconds}s`
        : (error as Error).message,
    )
  }
}

export function portOf(port: number | string, container: Container): number {
  if (typeof port === 'number') return port
  return container.ports?.find(({ name }) => name === port)?.containerPort ?? Number(port)
}

function urlOf(action: HTTPGetAction, container: Container, address: string): URL {
  const host = action.host === undefined || action.host === '' ? address : action.host
  const path = action.path ?? '/'
  return new URL(
    `${(action.scheme ?? 'HTTP').toLowerCase()}://${host}:${portOf(action.port, container)}${path.startsWith('/') ? path : `/${path}`}`,
  )
}

async function httpProbe(
  url: URL,
  action: HTTPGetAction,
  timeoutMs: number,
  agent = 'kube-probe',
): Promise<ProbeResult> {
  const headers: Record<string, string> = { 'User-Agent': `${agent}/1.36`, Accept: '*/*', Connection: 'close' }
  for (const { name, value } of action.httpHeaders ?? []) headers[name] = value
  const signal = AbortSignal.timeout(timeoutMs)
  let current = url
  try {
    for (let redirects = 0; redirects <= redirectLimit; redirects++) {
      const { statusCode = 0, location } = await fetchHead(current, headers, signal)
      const next =
        statusCode >= 300 && statusCode < 400 && location !== undefined ? new URL(location, current) : undefined
      if (next === undefined || next.hostname !== url.hostname)
        return statusCode >= 200 && statusCode < 400
          ? success
          : failure(`HTTP probe failed with statuscode: ${statusCode}`)
      current = next
    }
    return failure(`Get "${url.href}": stopped after ${redirectLimit} redirects`)
  } catch (error) {
    if (signal.aborted)
      return failure(
        `Get "${current.href}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
      )
    return failure(
      `Get "${current.href}": ${networkWords(error as NodeJS.ErrnoException, current.hostname, Number(current.port) || 80)}`,
    )
  }
}

function fetchHead(
  url: URL,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<{ statusCode: number | undefined; location: string | undefined }> {
  const { promise, resolve, reject } = Promise.withResolvers<{
    statusCode: number | undefined
    location: string | undefined
  }>()
  const answer = (response: IncomingMessage): void => {
    resolve({ statusCode: response.statusCode, location: response.headers.location })
    response.resume()
    response.on('error', () => {})
  }
  // A probe asks whether somebody answers, not who: certificates are not checked, as in Kubernetes.
  const call =
    url.protocol === 'https:'
      ? httpsRequest(url, { headers, signal, agent: false, rejectUnauthorized: false }, answer)
      : httpRequest(url, { headers, signal, agent: false }, answer)
  call.on('error', reject)
  call.end()
  return promise
}

function tcpProbe(host: string, port: number, timeoutMs: number): Promise<ProbeResult> {
  const { promise, resolve } = Promise.withResolvers<ProbeResult>()
  const socket = connect({ host, port, timeout: timeoutMs })
  const finish = (result: ProbeResult): void => {
    socket.destroy()
    resolve(result)
  }
  socket.on('connect', () => finish(success))
  socket.on('timeout', () => finish(failure(`dial tcp ${host}:${port}: i/o timeout`)))
  socket.on('error', (error: NodeJS.ErrnoException) => finish(failure(networkWords(error, host, port))))
  return promise
}

const goWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
}

function networkWords(error: NodeJS.ErrnoException, host: string, port: number): string {
  const words = goWords[error.code ?? '']
  if (words !== undefined) return `dial tcp ${host}:${port}: ${words}`
  return error.code === 'ECONNRESET' ? 'EOF' : error.message
}

const servingStatus = 1
const statusNames = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']

/** grpc.health.v1: HealthCheckRequest{service = 1}, HealthCheckResponse{status = 1}. */
function grpcProbe(address: string, port: number, service: string, timeoutMs: number): Promise<ProbeResult> {
  const { promise, resolve } = Promise.withResolvers<ProbeResult>()
  const client = new GrpcClient(`${address}:${port}`, credentials.createInsecure(), { 'grpc.enable_retries': 0 })
  const encode = (name: string): Buffer =>
    name === '' ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, Buffer.byteLength(name)]), Buffer.from(name)])
  const decode = (bytes: Buffer): number => (bytes.length >= 2 && bytes[0] === 0x08 ? bytes[1]! : 0)
  client.makeUnaryRequest(
    '/grpc.health.v1.Health/Check',
    encode,
    decode,
    service,
    new Metadata(),
    { deadline: Date.now() + timeoutMs },
    (error, status) => {
      client.close()
      if (error !== null) resolve(failure(`error: health rpc probe failed: ${error.message}`))
      else
        resolve(
          status === servingStatus
            ? success
            : failure(`service unhealthy (responded with "${statusNames[status ?? 0] ?? status}")`),
        )
    },
  )
  return promise
}
