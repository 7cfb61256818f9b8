// Attaches to a running container with input and output on separate sessions of containerd's streaming server: on a
// common one containerd closes the container's input as soon as one of its outputs has ended.
import type { RemoteSession, StreamOptions } from '../streams/node-streams.ts'
import type { AttachOptions } from './runtime.ts'

type Status = Awaited<RemoteSession['done']>

export interface Attachable {
  /** A session of its own with the streams that are wanted. */
  readonly open: (streams: StreamOptions) => Promise<RemoteSession>
  /** Calls back once, when the container has ended. @returns how to stop waiting for that */
  readonly onExit: (listener: () => void) => () => void
}

export async function attachTo(
  { open, onExit }: Attachable,
  { stdinOnce, ...options }: AttachOptions,
): Promise<RemoteSession> {
  if (!options.stdin || !(options.stdout || options.stderr)) return await open(options)
  const output = await open({ ...options, stdin: false })
  const input = await open({ ...options, stdout: false, stderr: false }).catch((error: unknown) => {
    output.abort()
    throw error
  })
  const exited = Promise.withResolvers<void>()
  const stopWaiting = onExit(exited.resolve)
  const abort = (): void => {
    stopWaiting()
    exited.resolve()
    input.abort()
    output.abort()
  }
  /** A container whose outputs have ended may still read. */
  const over = async (): Promise<Status> => {
    const status = await output.done
    await Promise.race([input.done, exited.promise])
    return status
  }
  // Input that is not the container's only one goes on without this session, which ends with its own part of it.
  const ends = stdinOnce && !options.tty ? [over()] : [over(), input.done]
  return {
    ...input,
    ...output,
    done: Promise.race(ends).finally(abort),
    abort,
  }
}
