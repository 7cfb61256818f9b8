// Runs a command in a running container through containerd's task service, with its standard streams on named
// pipes of ours. CRI's way, the streaming server of containerd, closes the command's input as soon as one of its
// outputs has ended (`sh -c 'cat > f'` hands its output to the file), and never returns when a command ends before
// it has read what was sent. Here input ends when it was ended, and the command's end does not wait for it.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { CallOptions, GrpcChannel } from '../grpc/channel.ts'
import { makeFifos, readFifo, writeFifo } from '../host/fifo.ts'
import type { RemoteSession, StreamOptions } from '../streams/node-streams.ts'
import { criNamespace } from './containerd-wire.ts'

const services = '/containerd.services.'
const methods = {
  get: `${services}containers.v1.Containers/Get`,
  exec: `${services}tasks.v1.Tasks/Exec`,
  start: `${services}tasks.v1.Tasks/Start`,
  wait: `${services}tasks.v1.Tasks/Wait`,
  closeIo: `${services}tasks.v1.Tasks/CloseIO`,
  resize: `${services}tasks.v1.Tasks/ResizePty`,
  delete: `${services}tasks.v1.Tasks/DeleteProcess`,
} as const

/** For the runtime's channel. */
export const execTypes: Readonly<Record<string, { request: string; response: string }>> = {
  [methods.get]: { request: 'GetContainerRequest', response: 'GetContainerResponse' },
  [methods.exec]: { request: 'ExecProcessRequest', response: 'Empty' },
  [methods.start]: { request: 'ProcessRequest', response: 'Empty' },
  [methods.wait]: { request: 'ProcessRequest', response: 'WaitProcessResponse' },
  [methods.closeIo]: { request: 'CloseIoRequest', response: 'Empty' },
  [methods.resize]: { request: 'ResizePtyRequest', response: 'Empty' },
  [methods.delete]: { request: 'ProcessRequest', response: 'Empty' },
}

const processType = 'types.containerd.io/opencontainers/runtime-spec/1/Process'
type Status = Awaited<RemoteSession['done']>
const success: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' }

type Call = (method: string, request?: object, more?: CallOptions) => Promise<Record<string, unknown>>

/**
 * The command has been started, or could not be, when this resolves; the session's end says which.
 * @throws RuntimeError when there is no such container or it does not run
 */
export async function execInContainer(
  channel: GrpcChannel,
  socketPath: string,
  containerId: string,
  command: readonly string[],
  options: StreamOptions,
): Promise<RemoteSession> {
  const execId = randomBytes(32).toString('hex')
  const call: Call = async (method, request = {}, more = {}) =>
    await channel.call(
      method,
      { containerId, execId, ...request },
      { ...more, metadata: { 'containerd-namespace': criNamespace } },
    )
  const directory = await mkdtemp(join(dirname(socketPath), 'exec-'))
  const paths = {
    stdin: options.stdin ? join(directory, 'stdin') : '',
    stdout: join(directory, 'stdout'),
    stderr: options.tty ? '' : join(directory, 'stderr'),
  }
  try {
    const [answer] = await Promise.all([
      call(methods.get, { id: containerId }),
      makeFifos(...Object.values(paths).filter(path => path !== '')),
    ])
    const { spec } = answer['container'] as { spec: { value: Buffer } }
    await call(methods.exec, {
      ...paths,
      terminal: options.tty,
      spec: { typeUrl: processType, value: processSpec(spec.value.toString(), command, options.tty) },
    })
    const stdout = await readFifo(paths.stdout)
    const stderr = options.tty ? undefined : await readFifo(paths.stderr)
    try {
      await call(methods.start)
    } catch (error) {
      stdout.destroy()
      stderr?.destroy()
      await call(methods.delete).catch(ignored)
      return failedSession(execId, error as Error, options)
    }
    const exit = call(methods.wait, {}, { timeoutMs: 0 })
    const stdin = options.stdin ? await inputOf(paths.stdin, exit, call, options.tty) : undefined
    return session({ call, command, options, exit, stdin, stdout, stderr })
  } finally {
    // Whoever uses the pipes has them open by now.
    await rm(directory, { recursive: true, force: true })
  }
}

/** What the container's own process is, with other arguments, in JSON. Numbers stay as they are written: limits have 64 bits. */
function processSpec(containerSpec: string, command: readonly string[], tty: boolean): Buffer {
  const exact = JSON as unknown as {
    parse(text: string, revive: (key: string, value: unknown, context: { source?: string }) => unknown): ContainerSpec
    rawJSON(text: string): unknown
  }
  const { process } = exact.parse(containerSpec, (_key, value, { source }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) ? exact.rawJSON(source!) : value,
  )
  const environment = (process.env ?? []).filter(variable => !(tty && variable.startsWith('TERM=')))
  return Buffer.from(
    JSON.stringify({
      ...process,
      args: command,
      terminal: tty,
      env: tty ? [...environment, 'TERM=xterm'] : environment,
    }),
  )
}

interface ContainerSpec {
  readonly process: { readonly env?: readonly string[] }
}

/** A terminal has no end of input: a command at one goes on until it is told to end. */
async function inputOf(path: string, exit: Promise<unknown>, call: Call, tty: boolean): Promise<Writable> {
  let input: Writable | undefined
  let ended = false
  const end = (): void => {
    ended = true
    input?.destroy()
  }
  exit.then(end, end)
  input = await writeFifo(path, () => ended)
  if (input === undefined) return discarding()
  input.on('error', ignored)
  if (!tty) input.once('close', () => void call(methods.closeIo, { stdin: true }).catch(ignored))
  return input
}

const discarding = (): Writable => new Writable({ write: (_chunk, _encoding, callback) => callback() })

interface Running {
  readonly call: Call
  readonly command: readonly string[]
  readonly options: StreamOptions
  readonly exit: Promise<Record<string, unknown>>
  readonly stdin: Writable | undefined
  readonly stdout: Readable
  readonly stderr: Readable | undefined
}

function session({ call, command, options, exit, stdin, stdout, stderr }: Running): RemoteSession {
  const outputs = stderr === undefined ? [stdout] : [stdout, stderr]
  if (!options.stdout) stdout.resume()
  if (!options.stderr) stderr?.resume()
  const ends = outputs.map(output => finished(output, { writable: false }).catch(ignored))
  const done = async (): Promise<Status> => {
    try {
      const { exitStatus } = await exit
      await Promise.all(ends)
      return statusOf(exitStatus as number, command)
    } catch (error) {
      return internalError(`failed to exec in container: ${wordsOf(error as Error)}`)
    } finally {
      void call(methods.delete).catch(ignored)
    }
  }
  return {
    ...(stdin && { stdin }),
    ...(options.stdout && { stdout }),
    ...(options.stderr && stderr && { stderr }),
    resize: (width, height) => void call(methods.resize, { width, height }).catch(ignored),
    done: done(),
    abort: () => {
      stdin?.destroy()
      for (const output of outputs) output.destroy()
    },
  }
}

/** A command that does not exist has no output, and says why as its status. */
function failedSession(execId: string, error: Error, options: StreamOptions): RemoteSession {
  return {
    ...(options.stdin && { stdin: discarding() }),
    ...(options.stdout && { stdout: Readable.from([]) }),
    ...(options.stderr && !options.tty && { stderr: Readable.from([]) }),
    resize: ignored,
    done: Promise.resolve(
      internalError(`failed to exec in container: failed to start exec "${execId}": ${wordsOf(error)}`),
    ),
    abort: ignored,
  }
}

const ignored = (): void => {}

/** Without what gRPC puts in front. */
const wordsOf = ({ message }: Error): string => message.replace(/^rpc error: code = \w+ desc = /, '')

function statusOf(exitCode: number, command: readonly string[]): Status {
  if (exitCode === 0) return success
  return {
    ...success,
    status: 'Failure',
    reason: 'NonZeroExitCode',
    message: `command terminated with non-zero exit code: error executing command [${command.join(' ')}], exit code ${exitCode}`,
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  }
}

function internalError(text: string): Status {
  const message = `error executing command in container: ${text}`
  return {
    ...success,
    status: 'Failure',
    reason: 'InternalError',
    message: `Internal error occurred: ${message}`,
    details: { causes: [{ message }] },
    code: 500,
  }
}
