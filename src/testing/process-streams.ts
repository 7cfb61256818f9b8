// An agent of nodes whose containers are programs of this machine: exec runs them, port-forward connects to a
// listener of the test, logs are what the test says.
import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import type { NodeStreams, RemoteSession } from '../streams/node-streams.ts'

const success = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' } as const

export function runProcess(command: readonly string[]): RemoteSession {
  const child = spawn(command[0]!, command.slice(1), { stdio: 'pipe' })
  const done = Promise.withResolvers<Awaited<RemoteSession['done']>>()
  child.on('close', code =>
    done.resolve(
      code === 0
        ? success
        : {
            ...success,
            status: 'Failure',
            reason: 'NonZeroExitCode',
            message: `command terminated with non-zero exit code: exit status ${code}`,
            details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
          },
    ),
  )
  // Node throws the output of an ended child away when nobody has begun to read it.
  return {
    stdin: child.stdin,
    stdout: child.stdout.pipe(new PassThrough()),
    stderr: child.stderr.pipe(new PassThrough()),
    resize: () => {},
    done: done.promise,
    abort: () => void child.kill(),
  }
}

/** @param logs of every container @param port where port-forward leads, whatever port of a pod is asked for */
export function processStreams({ logs, port }: { logs: string; port: () => number }): NodeStreams {
  return {
    logs: async (_target, { tailLines }) =>
      Readable.from([tailLines === undefined ? logs : `${logs.trimEnd().split('\n').slice(-tailLines).join('\n')}\n`]),
    exec: async (_target, command) => runProcess(command),
    attach: async () => runProcess(['echo', 'attached']),
    portForward: async () => connect(port(), '127.0.0.1'),
    endpoint: async () => ({ status: 200, contentType: 'text/plain', body: 'ok' }),
  }
}
