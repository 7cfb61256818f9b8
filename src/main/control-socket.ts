// How commands talk to a running server of the same machine: a unix socket in the state directory. Whoever
// connects gets one line of JSON about the server; `stop` ends it, `stop-pods SECONDS` ends its pods before and
// tells line by line which are left, and the end of the connection tells that the server is gone. A refused
// connection means that no server runs.
import { mkdirSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { createInterface, type Interface } from 'node:readline'

export interface ServerFacts {
  readonly pid: number
  readonly url: string
  /** `127.0.0.1:PORT` of the image registry. */
  readonly registry: string
  /** `ADDRESS:PORT` where others reach it, over HTTPS with passwords. */
  readonly secureRegistry?: string
  /** `127.0.0.1:PORT` at which routes answer; undefined: there is no gateway. */
  readonly gateway?: string
  /** Where it answers with TLS. */
  readonly secureGateway?: string
  /** Ranges of this machine's addresses on which node ports answer. */
  readonly nodePortAddresses: readonly string[]
  readonly version: string
  readonly dataDirectory: string
  readonly startedAt: string
  /** What people have to do so that everything works, a sentence each. */
  readonly warnings: readonly string[]
}

export interface ServerConnection {
  readonly facts: ServerFacts
  /** Asks the server to end its pods within the limit and to stop; resolves when it is gone. */
  stop(limitSeconds: number, onProgress: PodProgress): Promise<void>
  close(): void
}

/** `namespace/name` of the pods that still run; once at first, then whenever one has ended. */
export type PodProgress = (left: readonly string[]) => void

export interface ControlCommands {
  stop(): void
  stopPods(limitSeconds: number, onProgress: PodProgress): void
}

export function serveControl(
  path: string,
  facts: () => ServerFacts,
  commands: ControlCommands,
): Promise<{ close(): void }> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  rmSync(path, { force: true })
  const server = createServer(socket => {
    socket.on('error', () => socket.destroy())
    socket.write(`${JSON.stringify(facts())}\n`)
    createInterface({ input: socket }).on('line', line => {
      const [word, seconds] = line.split(' ')
      if (word === 'stop') commands.stop()
      if (word === 'stop-pods')
        commands.stopPods(Number(seconds), left => {
          if (socket.writable) socket.write(`${JSON.stringify({ left })}\n`)
        })
    })
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      resolve({
        close: () => {
          server.close()
          rmSync(path, { force: true })
        },
      })
    })
  })
}

/** @param patienceMs after which silence is an error; 0: never. @returns undefined: no server runs there */
export function connectControl(path: string, patienceMs = 0): Promise<ServerConnection | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.setTimeout(patienceMs, () => socket.destroy(new Error(`nobody answers at ${path}`)))
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined)
      else reject(error)
    })
    const lines = createInterface({ input: socket })
    // The same failure reaches the reader of lines; it was dealt with above.
    lines.once('error', () => lines.close())
    lines.once('line', line => {
      socket.setTimeout(0)
      resolve(connection(socket, lines, { ...unsaid, ...(JSON.parse(line) as ServerFacts) }))
    })
  })
}

/** A server that was started before an upgrade does not know of these. */
const unsaid = { nodePortAddresses: ['127.0.0.0/8'], warnings: [] }

function connection(socket: Socket, lines: Interface, facts: ServerFacts): ServerConnection {
  const gone = new Promise<void>(resolve => {
    socket.once('close', () => resolve())
  })
  return {
    facts,
    stop: async (limitSeconds, onProgress) => {
      lines.on('line', line => onProgress((JSON.parse(line) as { left: string[] }).left))
      // A server of an earlier version knows the second word only.
      socket.write(`stop-pods ${limitSeconds}\nstop\n`)
      await gone
    },
    close: () => void socket.destroy(),
  }
}
