// The log of requests: HAProxy sends a line for each that a policy wants logged, and keeps what it has for as long as nobody
// takes it, as far as that fits.
import { chmodSync, mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { openLineFile, type LineSink } from '../../host/line-file.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/logger.ts'
import { received } from './frames.ts'

export interface AccessLogOptions {
  /** To which HAProxy sends. */
  readonly socket: string
  /** To which lines are written. */
  readonly file: string
  readonly clock: Clock
  readonly logger: Logger
}

const maximumBytes = 10 * 1024 * 1024
const maximumBackups = 5

export class AccessLog {
  private readonly options: AccessLogOptions
  private readonly connections = new Set<Socket>()
  private sink: LineSink | undefined
  private server: Server | undefined

  constructor(options: AccessLogOptions) {
    this.options = options
  }

  /** From the first policy on that wants one. */
  async open(): Promise<void> {
    if (this.server !== undefined) return
    const { socket, file, clock, logger } = this.options
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    this.sink = openLineFile({ path: file, maximumBytes, maximumBackups }, clock, logger)
    await rm(socket, { force: true })
    this.server = createServer(connection => this.take(connection))
    this.server.listen(socket)
    await once(this.server, 'listening')
    chmodSync(socket, 0o600)
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.destroy()
    this.server?.close()
    await this.sink?.close()
  }

  private take(connection: Socket): void {
    this.connections.add(connection)
    let rest: Buffer = Buffer.alloc(0)
    connection.on('data', (bytes: Buffer) => {
      const next = received(Buffer.concat([rest, bytes]))
      if (next === undefined) {
        connection.destroy()
        return
      }
      rest = next.rest
      for (const line of next.messages) this.sink?.append(line)
    })
    connection.on('error', () => {})
    connection.on('close', () => this.connections.delete(connection))
  }
}
