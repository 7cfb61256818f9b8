// How commands talk to a running server of the same machine: a unix socket in the state directory. Whoever
// connects gets one line of JSON about the server; the word `stop` ends it, and the end of the connection
// tells that it is gone. A refused connection means that no server runs.
import { mkdirSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'

export interface ServerFacts {
  readonly pid: number
  readonly url: string
  /** `127.0.0.1:PORT` of the image registry. */
  readonly registry: string
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
  /** Asks the server to stop and resolves when it is gone; containers run on. */
  stop(): Promise<void>
  close(): void
}

export function serveControl(path: string, facts: () => ServerFacts, stop: () => void): Promise<{ close(): void }> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  rmSync(path, { force: true })
  const server = createServer(socket => {
    socket.on('error', () => socket.destroy())
    socket.write(`${JSON.stringify(facts())}\n`)
    createInterface({ input: socket }).on('line', line => {
      if (line === 'stop') stop()
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

/** undefined: no server runs there. */
export function connectControl(path: string): Promise<ServerConnection | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined)
      else reject(error)
    })
    const lines = createInterface({ input: socket })
    // The same failure reaches the reader of lines; it was dealt with above.
    lines.once('error', () => lines.close())
    lines.once('line', line => resolve(connection(socket, { ...unsaid, ...(JSON.parse(line) as ServerFacts) })))
  })
}

/** A server that was started before an upgrade does not know of these. */
const unsaid = { nodePortAddresses: ['127.0.0.0/8'], warnings: [] }

function connection(socket: Socket, facts: ServerFacts): ServerConnection {
  const gone = new Promise<void>(resolve => {
    socket.once('close', () => resolve())
  })
  return {
    facts,
    stop: async () => {
      socket.write('stop\n')
      await gone
    },
    close: () => void socket.destroy(),
  }
}
