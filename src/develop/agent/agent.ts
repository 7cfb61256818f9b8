// The first process of a container that is being worked on. It starts the service as its child, changes the service's
// files, and starts it again as it is told over a socket. A service that ends waits for the next change.
// It stands alone: nothing is imported but Node's own modules and types.
//   agent run PROGRAM ARGUMENT...    what the container starts
//   agent connect                    joins its input and output with a running agent
import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, renameSync, rmdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { AgentStart, Answer, ChangedFile, Order, ProcessState } from './words.ts'

/** In a folder beside the agent, which whoever runs in the container can write to. */
const socketFile = join(dirname(process.argv[1]!), 'run', 'agent.sock')
/** A service that does not end by then is ended: whoever works on it waits for the next one. */
const graceMs = 100
/** As in words.ts, which is not there in a container. */
const startMark = '\u0001sampan agent '

class Agent {
  private readonly self: AgentStart = { boot: randomUUID(), build: process.env['SAMPAN_BUILD'] ?? '' }
  private readonly command: readonly string[]
  private readonly connections = new Set<Socket>()
  private child: ChildProcess | undefined
  private process: ProcessState = { state: 'ended', code: null, signal: null }
  private stopping = false
  private orders: Promise<void> = Promise.resolve()

  constructor(command: readonly string[]) {
    this.command = command
  }

  run(): void {
    const server = createServer(socket => this.accept(socket))
    rmSync(socketFile, { force: true })
    server.listen(socketFile, () => {
      this.start()
      process.stdout.write(`${startMark}${JSON.stringify(this.self)}\n`)
    })
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => this.end(signal))
  }

  private accept(socket: Socket): void {
    this.connections.add(socket)
    socket.on('close', () => this.connections.delete(socket))
    socket.on('error', () => socket.destroy())
    send(socket, { hello: this.self, process: this.process })
    createInterface({ input: socket }).on('line', line => {
      const order = JSON.parse(line) as Order
      this.orders = this.orders.then(() => this.carryOut(order, socket))
    })
  }

  private async carryOut({ id, files, restart }: Order, socket: Socket): Promise<void> {
    try {
      for (const file of files) change(file)
      if (restart) await this.restart()
      send(socket, { done: id })
    } catch (error) {
      send(socket, { failed: id, reason: (error as Error).message })
    }
  }

  private start(): void {
    const [program = '', ...args] = this.command
    // A group of its own, so that what it starts ends with it.
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'], env: environment(), detached: true })
    this.child = child
    child.once('error', error => {
      if (this.child !== child) return
      this.child = undefined
      this.tell({ state: 'unstartable', reason: error.message })
    })
    child.once('exit', (code, signal) => {
      if (this.stopping) process.exit(code ?? 1)
      if (this.child !== child) return
      this.child = undefined
      this.tell({ state: 'ended', code, signal })
    })
    if (child.pid !== undefined) this.tell({ state: 'running', pid: child.pid })
  }

  private async restart(): Promise<void> {
    await this.stop()
    this.start()
  }

  private async stop(): Promise<void> {
    const { child } = this
    if (child === undefined) return
    this.child = undefined
    const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
    signalGroup(child, 'SIGTERM')
    const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs)
    await ended
    clearTimeout(timer)
    // What it left running.
    signalGroup(child, 'SIGKILL')
  }

  private end(signal: NodeJS.Signals): void {
    this.stopping = true
    if (this.child === undefined) process.exit(0)
    signalGroup(this.child, signal)
  }

  private tell(state: ProcessState): void {
    this.process = state
    for (const socket of this.connections) send(socket, { process: state })
  }
}

function change({ path, content, mode, at = 0, more = false, link }: ChangedFile): void {
  if (content === undefined && link === undefined) return remove(path)
  const folder = dirname(path)
  mkdirSync(folder, { recursive: true })
  // Whoever reads the file sees the old one or the new one.
  const temporary = join(folder, `.sampan-${process.pid}`)
  if (at === 0) rmSync(temporary, { force: true })
  if (link === undefined) {
    writeFileSync(temporary, Buffer.from(content!, 'base64'), { mode: mode ?? 0o644, flag: at === 0 ? 'w' : 'a' })
    if (more) return
    chmodSync(temporary, mode ?? 0o644)
  } else symlinkSync(link, temporary)
  // A folder makes no room for a file by itself.
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) rmSync(path, { recursive: true })
  renameSync(temporary, path)
}

/** With the folders that are empty without it. */
function remove(path: string): void {
  rmSync(path, { recursive: true, force: true })
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      rmdirSync(folder)
    } catch {
      return
    }
  }
}

/** A debugger is for the service, not for its agent. */
function environment(): NodeJS.ProcessEnv {
  const { SAMPAN_INSPECT: inspect, SAMPAN_BUILD: _build, ...rest } = process.env
  if (inspect === undefined) return rest
  return { ...rest, NODE_OPTIONS: `${rest['NODE_OPTIONS'] ?? ''} --inspect=${inspect}`.trim() }
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // It has ended.
  }
}

const send = (socket: Socket, answer: Answer): void => void socket.write(`${JSON.stringify(answer)}\n`)

function connectToAgent(): void {
  const socket = connect(socketFile)
  process.stdin.pipe(socket)
  socket.pipe(process.stdout)
  socket.on('error', error => {
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  })
  socket.on('close', () => process.exit(0))
}

const [, , verb, ...command] = process.argv
if (verb === 'connect') connectToAgent()
else new Agent(command).run()
