// A command whose input and output are somebody's terminal: in an instance that runs, or as a process of its own that
// ends with whoever asked for it.
import { Writable } from 'node:stream'
import type { Pod } from '../../../api/generated/models.ts'
import type { Status } from '../../../api/api-error.ts'
import { pods } from '../../../api/resources.ts'
import type { Client } from '../../../client/client.ts'
import { findObject } from '../../../client/find-object.ts'
import type { HttpClient } from '../../../client/http-client.ts'
import { isFinished } from '../../../control/pods.ts'
import { unlessNotFound } from '../../../control/removal.ts'
import type { Clock } from '../../../lib/clock.ts'
import type { RemoteSession, StreamOptions } from '../../../streams/node-streams.ts'
import { openCommandOverWebSocket } from '../../../streams/remote-websocket.ts'
import { DeployError } from '../../deploy-error.ts'
import type { CommandInInstance, Terminal } from '../engine.ts'
import type { Place, Run } from '../parts.ts'
import { fieldManager, objectName } from './labels.ts'
import { keepLive } from './live-list.ts'
import { hasBegun, mainContainer, mainStatus } from './main-container.ts'
import { followLog, type LogClient } from './pod-log.ts'
import { podOf } from './pod-of.ts'
import { startFailure } from './rollout-verdict.ts'
import { runMarks } from './run-object.ts'
import { troubleOf } from './run-result.ts'
import { podStandstill } from './standstill.ts'

export type StreamingClient = Client & LogClient & Pick<HttpClient, 'streaming'>

/** How long a process of its own may take to begin. */
const beginMs = 120_000

export async function execIn(
  client: StreamingClient,
  { namespace }: Place,
  { instance, command, terminal }: CommandInInstance,
): Promise<number> {
  const pod = await findObject(client, pods, { namespace, name: instance })
  if (pod === undefined)
    throw new DeployError(`there is no instance "${instance}" in the namespace ${namespace}; see them: sampan ps`)
  const options = optionsFor(terminal)
  const path = pathOf(namespace, instance, 'exec', { container: mainContainer(pod), ...options }, command)
  return converse(await openCommandOverWebSocket(client.streaming(), path, options), terminal)
}

/** Its pod goes with it, also when it is interrupted; nobody who is killed leaves it for longer than its time limit. */
export async function runWithTerminal(
  client: StreamingClient,
  clock: Clock,
  { namespace }: Place,
  run: Run,
  terminal: Terminal,
): Promise<number> {
  const { labels, annotations } = runMarks(run)
  const hasInput = terminal.input !== undefined
  const created = await client.create<Pod>(
    pods,
    {
      metadata: { name: objectName(run.name), namespace, labels, annotations },
      spec: {
        ...podOf(run.service, run.process, { stdin: hasInput, stdinOnce: hasInput, tty: terminal.raw }),
        restartPolicy: 'Never',
        activeDeadlineSeconds: run.timeLimitSeconds,
        terminationGracePeriodSeconds: 2,
      },
    },
    { fieldManager },
  )
  const watched = watchPod(client, clock, created, terminal.signal)
  try {
    const pod = await watched.until(hasBegun, beginMs)
    if (terminal.raw) await attach(client, clock, watched, pod, terminal)
    else
      await Promise.all([
        printLog(client, clock, watched, pod, terminal),
        hasInput ? passInput(client, watched, pod, terminal) : undefined,
      ])
    const ended = await watched.until(isFinished, endMs)
    const terminated = mainStatus(ended)?.state?.terminated
    const trouble = terminated && troubleOf(terminated)
    if (trouble !== undefined) throw new DeployError(`${run.process.command.join(' ')}: ${trouble}`)
    return terminated?.exitCode ?? 1
  } finally {
    watched.stop()
    await unlessNotFound(client.delete(pods, created.metadata))
  }
}

/** From the end of the output to that of the pod. */
const endMs = 30_000

interface Watched {
  /** Fires when the pod has ended. */
  readonly ended: AbortSignal
  /** @throws DeployError when it cannot begin, or takes too long */
  until(holds: (pod: Pod) => boolean, withinMs: number): Promise<Pod>
  stop(): void
}

function watchPod(client: StreamingClient, clock: Clock, created: Pod, asked: AbortSignal): Watched {
  const { namespace = '', name, uid } = created.metadata
  const [end, ended] = [new AbortController(), new AbortController()]
  const signal = AbortSignal.any([asked, end.signal])
  let pod = created
  let failure: Error | undefined
  let changed = Promise.withResolvers<void>()
  const tell = (): void => {
    if (isFinished(pod) || failure !== undefined) ended.abort()
    changed.resolve()
    changed = Promise.withResolvers()
  }
  signal.addEventListener('abort', tell, { once: true })
  const query = { resource: pods, namespace, fieldSelector: `metadata.name=${name}` }
  keepLive({ client, clock, signal }, query, ([found]) => {
    if (found?.metadata.uid === uid) pod = found
    else failure = new DeployError(`${name} was deleted before its end`)
    tell()
  }).catch((error: unknown) => {
    failure = error as Error
    tell()
  })
  return {
    ended: ended.signal,
    stop: () => end.abort(),
    async until(holds, withinMs) {
      let late = false
      const timer = clock.after(withinMs, () => {
        late = true
        tell()
      })
      try {
        while (!holds(pod)) {
          asked.throwIfAborted()
          const status = mainStatus(pod)
          const reason = failure?.message ?? (status && startFailure(status))
          if (reason !== undefined) throw new DeployError(reason)
          if (isFinished(pod))
            throw new DeployError(`${name} ended before it began: ${pod.status.message ?? pod.status.reason}`)
          if (late) {
            const cause = podStandstill(pod, [])?.reason
            throw new DeployError(
              `${name} was waited for ${withinMs / 1000} seconds${cause === undefined ? '' : `; ${cause}`}`,
            )
          }
          await changed.promise
        }
        return pod
      } finally {
        timer.cancel()
      }
    },
  }
}

/** It has what was written before anybody could attach. */
async function printLog(
  client: StreamingClient,
  clock: Clock,
  watched: Watched,
  pod: Pod,
  { output, signal }: Terminal,
): Promise<void> {
  const { namespace = '', name } = pod.metadata
  const source = { namespace, pod: name, container: mainContainer(pod) }
  const until = { ended: watched.ended, signal }
  for await (const { text } of followLog(client, clock, source, {}, until)) output.write(`${text}\n`)
}

async function attach(
  client: StreamingClient,
  clock: Clock,
  watched: Watched,
  pod: Pod,
  terminal: Terminal,
): Promise<void> {
  const shown = new Counting(terminal.output)
  await attachTo(client, watched, pod, { ...terminal, output: shown }, optionsFor(terminal))
  // It said everything before anybody could attach.
  if (shown.bytes === 0) await printLog(client, clock, watched, pod, terminal)
}

/** Its output comes from the log. */
const passInput = (client: StreamingClient, watched: Watched, pod: Pod, terminal: Terminal): Promise<void> =>
  attachTo(client, watched, pod, terminal, { stdin: true, stdout: false, stderr: false, tty: false })

async function attachTo(
  client: StreamingClient,
  watched: Watched,
  pod: Pod,
  terminal: Terminal,
  options: StreamOptions,
): Promise<void> {
  const { namespace = '', name } = pod.metadata
  const path = pathOf(namespace, name, 'attach', { container: mainContainer(pod), ...options })
  try {
    await converse(await openCommandOverWebSocket(client.streaming(), path, options), terminal)
  } catch (error) {
    terminal.signal.throwIfAborted()
    // It was over before anybody could attach, or is by now.
    await watched.until(hasTerminated, soonMs).catch(() => {
      throw error
    })
  }
}

const hasTerminated = (pod: Pod): boolean => mainStatus(pod)?.state?.terminated !== undefined || isFinished(pod)

/** From the end of a process to where it is seen. */
const soonMs = 5_000

class Counting extends Writable {
  bytes = 0
  private readonly target: Writable

  constructor(target: Writable) {
    super()
    this.target = target
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.bytes += chunk.length
    this.target.write(chunk, done)
  }
}

const optionsFor = ({ input, raw }: Terminal): StreamOptions => ({
  stdin: input !== undefined,
  stdout: true,
  // A terminal has one output.
  stderr: !raw,
  tty: raw,
})

function pathOf(
  namespace: string,
  pod: string,
  verb: 'exec' | 'attach',
  options: StreamOptions & { readonly container: string },
  command: readonly string[] = [],
): string {
  const query = new URLSearchParams(
    Object.entries(options).map(([key, value]): [string, string] => [key, String(value)]),
  )
  for (const word of command) query.append('command', word)
  return `/api/v1/namespaces/${namespace}/pods/${encodeURIComponent(pod)}/${verb}?${query}`
}

/** @returns the exit code */
async function converse(session: RemoteSession, terminal: Terminal): Promise<number> {
  const { input, output, errors, signal } = terminal
  const resize = (): void => {
    const size = terminal.size?.()
    if (size !== undefined) session.resize(size.columns, size.rows)
  }
  const stopResizing = terminal.raw ? terminal.resized?.(resize) : undefined
  if (terminal.raw) resize()
  const abort = (): void => session.abort()
  signal.addEventListener('abort', abort, { once: true })
  if (session.stdin !== undefined) input?.pipe(session.stdin)
  const outputs = [passed(session.stdout, output), passed(session.stderr, errors)]
  try {
    const status = await session.done
    await Promise.all(outputs)
    signal.throwIfAborted()
    return exitCodeOf(status)
  } finally {
    signal.removeEventListener('abort', abort)
    stopResizing?.()
    if (session.stdin !== undefined) input?.unpipe(session.stdin)
  }
}

/** Until all of it is taken; the target goes on. */
async function passed(source: NodeJS.ReadableStream | undefined, target: NodeJS.WritableStream): Promise<void> {
  if (source === undefined) return
  source.pipe(target, { end: false })
  await new Promise<void>(resolve => {
    source.once('end', resolve).once('close', resolve)
  })
}

function exitCodeOf({ status, reason, message, details }: Status): number {
  if (status === 'Success') return 0
  const code = details?.causes?.find(cause => cause.reason === 'ExitCode')?.message
  if (reason === 'NonZeroExitCode' && code !== undefined) return Number(code)
  throw new DeployError(`the command could not be run: ${message ?? reason}`)
}
